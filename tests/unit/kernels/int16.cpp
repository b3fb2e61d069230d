// 16-bit numbers: rounded from floats, widened, and split into bytes, at every level of
// instructions.
#include <cmath>
#include <criterion/criterion.h>
#include <limits>
#include <vector>

#include "base/parallel.h"
#include "kernels/native/quantize.h"
#include "tensor/quantize.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr float kScale = 1.0f / 1024;
constexpr int64_t kCount = 20011;  // several blocks, and none of them whole

// Halves between two integers, both ends and what lies beyond, NaN, and anything.
std::vector<float> Reals() {
  Random random(3);
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {infinity, -infinity, std::nanf(""), 1e30f, -1e30f, 0.0f, -0.0f};
  for (const int q : {-32769, -32768, -32767, -257, -256, -1, 0, 1, 255, 256, 32766, 32767, 32768})
    for (const float half : {-0.5f, 0.0f, 0.5f})
      x.push_back((static_cast<float>(q) + half) * kScale);
  while (static_cast<int64_t>(x.size()) < kCount) x.push_back(random.Float(-34, 34));
  return x;
}

native::ScaledRows Rows(int32_t zero_point) {
  return {.dtype = DType::kS16,
          .elements = kCount,
          .row_length = kCount,
          .scales = {kScale},
          .zero_points = {zero_point}};
}

void RunOn(const Kernel& kernel, const void* x, std::vector<void*> outputs, int64_t threads) {
  const std::vector<const void*> inputs = {x};
  const ThreadScope scope(threads);
  const Status status = kernel.Run({.inputs = inputs, .outputs = outputs}, nullptr);
  cr_assert(status.ok(), "%s", status.message().c_str());
}

}  // namespace

Test(int16, floats_round_as_the_header_says_at_every_level) {
  const std::vector<float> x = Reals();
  for (const int32_t zero_point : {0, -32768, 32767, 123}) {
    for (const Isa isa : Levels()) {
      std::vector<int16_t> y(kCount);
      RunOn(**native::MakeQuantize(Rows(zero_point), isa), x.data(), {y.data()}, 2);
      for (size_t i = 0; i < x.size(); ++i)
        cr_assert_eq(y[i], QuantizeValue(x[i], kScale, zero_point, -32768, 32767), "%g", x[i]);
    }
  }
}

Test(int16, integers_become_floats_at_every_level) {
  std::vector<int16_t> x(kCount);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int16_t>(i * 131);
  for (const Isa isa : Levels()) {
    std::vector<float> y(kCount);
    RunOn(**native::MakeDequantize(Rows(-32768), isa), x.data(), {y.data()}, 2);
    for (size_t i = 0; i < x.size(); ++i) cr_assert_eq(y[i], DequantizeValue(x[i], kScale, -32768));
  }
}

Test(int16, every_integer_is_its_two_bytes) {
  std::vector<int16_t> x(65536);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int16_t>(i);
  for (const Isa isa : Levels()) {
    Bytes high(x.size());
    Bytes low(x.size());
    RunOn(**native::MakeSplitInt16(std::ssize(x), {}, isa), x.data(), {high.data(), low.data()}, 2);
    for (size_t i = 0; i < x.size(); ++i) cr_assert_eq(256 * (high[i] - 128) + low[i], x[i]);
  }
}

Test(int16, floats_are_split_without_a_stop_between) {
  const std::vector<float> x = Reals();
  for (const Isa isa : Levels()) {
    for (const int64_t threads : {1, 2, 4}) {
      Bytes high(x.size());
      Bytes low(x.size());
      RunOn(**native::MakeSplitInt16(kCount, kScale, isa), x.data(), {high.data(), low.data()},
            threads);
      for (size_t i = 0; i < x.size(); ++i)
        cr_assert_eq(256 * (high[i] - 128) + low[i], QuantizeValue(x[i], kScale, 0, -32768, 32767),
                     "%g", x[i]);
    }
  }
}
