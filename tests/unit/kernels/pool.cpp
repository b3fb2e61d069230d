// Maximum pooling: every level gives what a plain loop over each window gives.
#include "kernels/native/pool.h"

#include <algorithm>
#include <cmath>
#include <criterion/criterion.h>
#include <cstring>
#include <limits>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// Two spatial dimensions, and windows that may lie wholly in the padding.
native::Pool RandomPool(Random& random) {
  native::Pool p;
  p.batch = random.Int(1, 2);
  p.channels = random.Chance() ? random.Int(1, 20) : random.Int(20, 150);
  for (int d = 0; d < 2; ++d) {
    p.in.push_back(random.Int(1, 12));
    p.kernel.push_back(random.Int(1, 4));
    p.strides.push_back(random.Int(1, 3));
    p.dilations.push_back(random.Int(1, 2));
    p.pads_begin.push_back(random.Int(0, 3));
    p.pads_end.push_back(random.Int(0, 3));
    const int64_t reach = (p.kernel.back() - 1) * p.dilations.back() + 1;
    const int64_t room = p.in.back() + p.pads_begin.back() + p.pads_end.back() - reach;
    p.out.push_back(std::max<int64_t>(room, 0) / p.strides.back() + 1);
  }
  return p;
}

template <typename T>
T LargestOf(const native::Pool& p, const T* x, int64_t image, int64_t row, int64_t column,
            int64_t channel) {
  T best = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity()
                                    : std::numeric_limits<T>::lowest();
  for (int64_t i = 0; i < p.kernel[0]; ++i)
    for (int64_t j = 0; j < p.kernel[1]; ++j) {
      const int64_t y = row * p.strides[0] - p.pads_begin[0] + i * p.dilations[0];
      const int64_t z = column * p.strides[1] - p.pads_begin[1] + j * p.dilations[1];
      if (y < 0 || y >= p.in[0] || z < 0 || z >= p.in[1]) continue;
      const T value = x[((image * p.in[0] + y) * p.in[1] + z) * p.channels + channel];
      if (value > best) best = value;
    }
  return best;
}

template <typename T>
void ExpectEveryLevelGivesTheLargest(native::Pool p, DType dtype, const std::vector<T>& x) {
  p.dtype = dtype;
  std::vector<T> wanted;
  for (int64_t n = 0; n < p.batch; ++n)
    for (int64_t i = 0; i < p.out[0]; ++i)
      for (int64_t j = 0; j < p.out[1]; ++j)
        for (int64_t c = 0; c < p.channels; ++c)
          wanted.push_back(LargestOf(p, x.data(), n, i, j, c));
  Bytes bytes(wanted.size() * sizeof(T));
  std::memcpy(bytes.data(), wanted.data(), bytes.size());
  for (const Isa isa : Levels()) {
    const auto kernel = native::MakePool(p, isa);
    cr_assert(kernel.ok());
    for (const int64_t threads : {1, 3})
      cr_expect(Run(**kernel, {x.data()}, bytes.size(), threads) == bytes,
                "%s, %d channels, %dx%d, kernel %dx%d", std::string((*kernel)->name()).c_str(),
                static_cast<int>(p.channels), static_cast<int>(p.in[0]), static_cast<int>(p.in[1]),
                static_cast<int>(p.kernel[0]), static_cast<int>(p.kernel[1]));
  }
}

template <typename T>
std::vector<T> RandomImage(Random& random, const native::Pool& p) {
  std::vector<T> x(static_cast<size_t>(p.batch * p.in[0] * p.in[1] * p.channels));
  for (T& value : x) value = static_cast<T>(random.Int(-128, 127));
  return x;
}

}  // namespace

Test(pool, the_largest_is_the_same_at_every_level_and_shape) {
  Random random(11);
  for (int i = 0; i < 120; ++i) {
    const native::Pool p = RandomPool(random);
    ExpectEveryLevelGivesTheLargest(p, DType::kU8, RandomImage<uint8_t>(random, p));
    ExpectEveryLevelGivesTheLargest(p, DType::kS8, RandomImage<int8_t>(random, p));
    ExpectEveryLevelGivesTheLargest(p, DType::kF32, RandomImage<float>(random, p));
  }
}

Test(pool, a_nan_is_never_the_largest) {
  Random random(12);
  native::Pool p = RandomPool(random);
  p.channels = 21;
  std::vector<float> x = RandomImage<float>(random, p);
  for (size_t i = 0; i < x.size(); i += 3) x[i] = std::numeric_limits<float>::quiet_NaN();
  ExpectEveryLevelGivesTheLargest(p, DType::kF32, x);
}
