// Softmax of rows of floats: near the exact value, and the same bits at every level.
#include <cmath>
#include <criterion/criterion.h>
#include <limits>

#include "kernels/native/row_softmax.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Of 1: exponentials good to 1e-7 and sums of floats; and scale * x + mask is rounded as floats
// are.
double Tolerance(const native::FloatSoftmax& softmax) {
  return 1e-6 + 32 * double{softmax.scale} * std::numeric_limits<float>::epsilon();
}

struct Problem {
  native::FloatSoftmax softmax;
  std::vector<float> x;
  std::vector<float> mask;

  std::vector<const void*> inputs() const { return {x.data(), mask.data()}; }
  int64_t rows() const { return softmax.rows[0] * softmax.rows[1]; }
};

// Three heads of four rows; the mask is that of a row for all heads, some of it minus infinity.
Problem Make(int64_t columns, bool has_mask, Random& random) {
  Problem p{.softmax = {.rows = {3, 4},
                        .columns = columns,
                        .scale = random.Float(0.1f, 4),
                        .has_mask = has_mask,
                        .mask_strides = {0, columns}}};
  for (int64_t i = 0; i < p.rows() * columns; ++i) p.x.push_back(random.Float(-30, 30));
  for (int64_t i = 0; i < 4 * columns; ++i)
    p.mask.push_back(random.Int(0, 3) == 0 && i % columns != 0 ? -kInfinity : 0.5f);
  return p;
}

double WorstDifference(const Problem& p, const Bytes& found) {
  const int64_t n = p.softmax.columns;
  const auto* y = reinterpret_cast<const float*>(found.data());
  double worst = 0;
  for (int64_t row = 0; row < p.rows(); ++row) {
    std::vector<double> t;
    double largest = -kInfinity;
    for (int64_t i = 0; i < n; ++i) {
      const double mask = p.softmax.has_mask ? p.mask[static_cast<size_t>(row % 4 * n + i)] : 0;
      t.push_back(double{p.x[static_cast<size_t>(row * n + i)]} * p.softmax.scale + mask);
      largest = std::max(largest, t.back());
    }
    double sum = 0;
    for (const double v : t) sum += std::exp(v - largest);
    for (int64_t i = 0; i < n; ++i)
      worst = std::max(worst, std::abs(std::exp(t[static_cast<size_t>(i)] - largest) / sum -
                                       double{y[row * n + i]}));
  }
  return worst;
}

}  // namespace

Test(softmax, every_level_gives_the_same_bits_near_the_exact_value) {
  Random random(5);
  for (const int64_t columns : {1, 2, 15, 16, 17, 31, 32, 33, 128, 197}) {
    for (const bool has_mask : {false, true}) {
      const Problem p = Make(columns, has_mask, random);
      Bytes first;
      for (const Isa isa : Levels()) {
        const auto kernel = native::MakeFloatSoftmax(p.softmax, isa);
        cr_assert(kernel.ok());
        for (const int64_t threads : {1, 2}) {
          const Bytes found = Run(**kernel, p.inputs(), p.x.size() * sizeof(float), threads);
          cr_assert(first.empty() || found == first, "%d columns, %s", static_cast<int>(columns),
                    IsaName(isa));
          first = found;
        }
      }
      cr_expect_lt(WorstDifference(p, first), Tolerance(p.softmax), "%d columns",
                   static_cast<int>(columns));
    }
  }
}

Test(softmax, a_row_with_nan_or_without_a_finite_number_is_nan) {
  for (const int64_t columns : {5, 40}) {
    native::FloatSoftmax softmax{.rows = {2}, .columns = columns};
    std::vector<float> x(static_cast<size_t>(2 * columns), 1.0f);
    x[3] = NAN;
    std::fill(x.begin() + columns, x.end(), -kInfinity);
    const auto kernel = native::MakeFloatSoftmax(softmax, DetectIsa());
    cr_assert(kernel.ok());
    const Bytes found = Run(**kernel, {x.data()}, x.size() * sizeof(float), 1);
    const auto* y = reinterpret_cast<const float*>(found.data());
    for (int64_t i = 0; i < 2 * columns; ++i)
      cr_expect(std::isnan(y[i]), "%d", static_cast<int>(i));
  }
}
