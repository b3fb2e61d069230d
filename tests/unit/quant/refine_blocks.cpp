// Coordinate descent over the integers and scales of blocks.
#include "quant/refine_blocks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

constexpr int64_t kLines = 4;
constexpr int64_t kDepth = 48;
constexpr int64_t kBlock = 32;  // and one of 16
constexpr BlockForm kForm = {
    .lines = kLines, .depth = kDepth, .block = kBlock, .low = -8, .high = 7, .damping = 0.01};

// Each channel is what the one before it is, and some of its own.
InputProducts Products() {
  InputProducts products;
  auto x = Normal(200 * kDepth, 3);
  for (size_t i = 1; i < x.size(); ++i)
    if (i % kDepth != 0) x[i] = 0.9f * x[i - 1] + 0.3f * x[i];
  products.Add(x, kDepth);
  return products;
}

struct Blocks {
  std::vector<float> weights = Normal(kLines * kDepth, 5, 1.0f);
  std::vector<BlockParams> params = std::vector<BlockParams>(kLines * 2, {0.4f, 0});
  std::vector<int32_t> integers;

  double Made(int64_t n, int64_t k) const {
    const BlockParams& p = params[static_cast<size_t>(n * 2 + k / kBlock)];
    return double{p.scale} * (integers[static_cast<size_t>(n * kDepth + k)] - p.zero_point);
  }
  // e^T H e of one line, H with its damping.
  double Error(const InputProducts& h, int64_t n) const {
    double mean = 0;
    for (int64_t i = 0; i < kDepth; ++i) mean += h.Get(i, i) / kDepth;
    double sum = 0;
    for (int64_t i = 0; i < kDepth; ++i) {
      const double e = double{weights[static_cast<size_t>(n * kDepth + i)]} - Made(n, i);
      for (int64_t j = 0; j < kDepth; ++j)
        sum += e * (h.Get(i, j) + (i == j ? kForm.damping * mean : 0)) *
               (double{weights[static_cast<size_t>(n * kDepth + j)]} - Made(n, j));
    }
    return sum;
  }
  void RoundToNearest() {
    integers.clear();
    for (const float w : weights)
      integers.push_back(static_cast<int32_t>(std::clamp(std::rint(w / 0.4f), -8.0f, 7.0f)));
  }
};

}  // namespace

Test(refine_blocks, no_other_integer_would_be_better_and_much_is_won) {
  const InputProducts products = Products();
  Blocks blocks;
  blocks.RoundToNearest();
  std::vector<double> before;
  for (int64_t n = 0; n < kLines; ++n) before.push_back(blocks.Error(products, n));
  RefineBlocks(blocks.weights, kForm, products, blocks.params, blocks.integers);
  for (int64_t n = 0; n < kLines; ++n) {
    const double after = blocks.Error(products, n);
    cr_expect_lt(after, before[static_cast<size_t>(n)] * 0.75, "%g of %g", after,
                 before[static_cast<size_t>(n)]);
    // Scales were fitted last, which moves an optimum a little.
    for (int64_t k = 0; k < kDepth; ++k) {
      int32_t& q = blocks.integers[static_cast<size_t>(n * kDepth + k)];
      cr_assert(q >= kForm.low && q <= kForm.high);
      for (const int32_t step : {-1, 1}) {
        q += step;
        if (q >= kForm.low && q <= kForm.high)
          cr_expect_gt(blocks.Error(products, n), after * 0.97);
        q -= step;
      }
    }
  }
}

Test(refine_blocks, a_scale_that_is_off_becomes_the_right_one) {
  const InputProducts products = Products();
  Blocks blocks;
  blocks.RoundToNearest();
  for (int64_t n = 0; n < kLines; ++n)
    for (int64_t k = 0; k < kDepth; ++k)
      blocks.weights[static_cast<size_t>(n * kDepth + k)] =
          static_cast<float>(1.002 * blocks.Made(n, k));
  RefineBlocks(blocks.weights, kForm, products, blocks.params, blocks.integers);
  for (const BlockParams& p : blocks.params) cr_expect_float_eq(p.scale, 0.4008f, 1e-5);
}

Test(refine_blocks, inputs_that_are_all_zero_change_nothing) {
  InputProducts products;
  products.Add(std::vector<float>(kDepth), kDepth);
  Blocks blocks;
  blocks.RoundToNearest();
  const std::vector<int32_t> before = blocks.integers;
  RefineBlocks(blocks.weights, kForm, products, blocks.params, blocks.integers);
  cr_expect(blocks.integers == before);
}
