// Layer normalization: near the exact value, and the same bits at every level; bytes are those of
// the floats.
#include "kernels/native/layer_norm.h"

#include <algorithm>
#include <cmath>
#include <criterion/criterion.h>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Problem {
  native::LayerNorm norm;
  std::vector<float> x;
  std::vector<float> scale;
  std::vector<float> bias;

  std::vector<const void*> inputs() const { return {x.data(), scale.data(), bias.data()}; }
};

// Rows whose mean is large beside their deviation.
Problem Make(int64_t columns, bool has_bias, Random& random) {
  Problem p{.norm = {.rows = 300, .columns = columns, .has_bias = has_bias}};
  for (int64_t i = 0; i < p.norm.rows * columns; ++i) p.x.push_back(20 + random.Float(-2, 2));
  for (int64_t i = 0; i < columns; ++i) {
    p.scale.push_back(random.Float(-1, 1));
    p.bias.push_back(random.Float(-1, 1));
  }
  return p;
}

double WorstDifference(const Problem& p, const Bytes& found) {
  const int64_t n = p.norm.columns;
  const auto* y = reinterpret_cast<const float*>(found.data());
  double worst = 0;
  for (int64_t row = 0; row < p.norm.rows; ++row) {
    const float* x = p.x.data() + row * n;
    double mean = 0;
    for (int64_t i = 0; i < n; ++i) mean += double{x[i]} / static_cast<double>(n);
    double variance = 0;
    for (int64_t i = 0; i < n; ++i)
      variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      const double wanted =
          (x[i] - mean) / std::sqrt(variance + double{p.norm.epsilon}) * double{p.scale[at]} +
          (p.norm.has_bias ? double{p.bias[at]} : 0);
      worst = std::max(worst, std::abs(wanted - double{y[row * n + i]}));
    }
  }
  return worst;
}

Bytes RunAtEveryLevel(const Problem& p, size_t bytes) {
  Bytes first;
  for (const Isa isa : Levels()) {
    const auto kernel = native::MakeLayerNorm(p.norm, isa);
    cr_assert(kernel.ok());
    for (const int64_t threads : {1, 2, 4}) {
      const Bytes found = Run(**kernel, p.inputs(), bytes, threads);
      cr_assert(first.empty() || found == first, "%d columns, %s", static_cast<int>(p.norm.columns),
                IsaName(isa));
      first = found;
    }
  }
  return first;
}

}  // namespace

// A mean of 20 is known to 20 units of 2^-24 and a few more, and a deviation of about 1 is divided
// by. A row of one is nothing but its rounding, times 1 / sqrt(epsilon).
Test(layer_norm, every_level_gives_the_same_bits_near_the_exact_value) {
  Random random(5);
  for (const int64_t columns : {1, 2, 15, 16, 17, 63, 64, 65, 200, 768}) {
    for (const bool has_bias : {false, true}) {
      const Problem p = Make(columns, has_bias, random);
      const Bytes found = RunAtEveryLevel(p, p.x.size() * sizeof(float));
      cr_expect_lt(WorstDifference(p, found), columns < 3 ? 1e-3 : 2e-5, "%d columns",
                   static_cast<int>(columns));
    }
  }
}

Test(layer_norm, bytes_are_those_of_the_floats) {
  Random random(6);
  for (const int64_t columns : {7, 64, 101}) {
    for (const DType dtype : {DType::kU8, DType::kS8}) {
      Problem p = Make(columns, true, random);
      const Bytes floats = RunAtEveryLevel(p, p.x.size() * sizeof(float));
      p.norm.has_floats = false;
      p.norm.out_dtype = dtype;
      p.norm.out_scale = 0.015625f;  // a reciprocal without rounding
      p.norm.out_zero_point = dtype == DType::kU8 ? 140 : 9;
      const Bytes bytes = RunAtEveryLevel(p, p.x.size());
      const auto* y = reinterpret_cast<const float*>(floats.data());
      const float low = dtype == DType::kU8 ? 0 : -128;
      for (size_t i = 0; i < p.x.size(); ++i) {
        const float wanted = std::clamp(
            std::nearbyint(y[i] * 64) + static_cast<float>(p.norm.out_zero_point), low, low + 255);
        cr_assert_eq(bytes[i], static_cast<uint8_t>(static_cast<int>(wanted)), "%d columns, %d",
                     static_cast<int>(columns), static_cast<int>(i));
      }
    }
  }
}

Test(layer_norm, a_row_with_nan_is_nan_and_the_zero_point) {
  Random random(7);
  Problem p = Make(33, true, random);
  p.x[40] = NAN;
  const Bytes floats = RunAtEveryLevel(p, p.x.size() * sizeof(float));
  const auto* y = reinterpret_cast<const float*>(floats.data());
  cr_expect(std::isfinite(y[32]) && std::isnan(y[33]) && std::isnan(y[65]) && std::isfinite(y[66]));
  p.norm.has_floats = false;
  p.norm.out_dtype = DType::kU8;
  p.norm.out_zero_point = 77;
  cr_expect_eq(RunAtEveryLevel(p, p.x.size())[40], 77);
}
