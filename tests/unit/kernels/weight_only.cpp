// Products with weights in 4 and 8 bits: every level of instruction set against sums of doubles.
#include "kernels/native/weight_only.h"

#include <cmath>
#include <criterion/criterion.h>
#include <cstring>

#include "kernels/matmul.h"
#include "kernels/onednn/runtime.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Problem {
  native::WeightOnlyProduct product;
  std::vector<float> a;
  std::vector<float> addend;
  std::string text;

  Bytes Result(Isa isa, int64_t threads) const {
    const auto kernel = native::MakeWeightOnlyProduct(product, isa);
    cr_assert(kernel.ok(), "%s: %s", text.c_str(), kernel.status().message().c_str());
    return Run(**kernel, {a.data(), nullptr, nullptr, nullptr, nullptr, addend.data()},
               addend.size() * sizeof(float), threads);
  }
};

Problem RandomProblem(Random& random) {
  constexpr DType kTypes[] = {DType::kS8, DType::kU8, DType::kS4, DType::kU4};
  constexpr int64_t kBlocks[] = {0, 8, 32, 64, 128};
  Problem p;
  native::WeightOnlyMatrix& m = p.product.matrix;
  p.product.rows = random.Chance() ? random.Int(1, 7) : random.Int(8, 210);
  m.depth = random.Int(1, 300);
  m.columns = random.Int(1, 200);
  m.is_transposed = random.Chance();
  m.block = kBlocks[random.Int(0, 4)];
  if (m.block == 0) m.block = m.depth;
  const DType dtype = kTypes[random.Int(0, 3)];
  m.weights =
      *Tensor::Make(dtype, m.is_transposed ? Shape{m.columns, m.depth} : Shape{m.depth, m.columns});
  for (int64_t i = 0; i < m.weights.bytes(); ++i)
    m.weights.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(random.Int(0, 255));
  const bool has_zero_points = random.Chance();
  for (int64_t i = 0; i < m.blocks() * m.columns; ++i) {
    m.scales.push_back(random.Float(0.01f, 0.02f));
    if (has_zero_points)
      m.zero_points.push_back(static_cast<int32_t>(random.Int(MinOf(dtype), MaxOf(dtype))));
  }
  for (int64_t i = 0; i < p.product.rows * m.depth; ++i) p.a.push_back(random.Float(-1, 1));
  for (int64_t i = 0; i < p.product.rows * m.columns; ++i) p.addend.push_back(random.Float(-1, 1));
  using Kind = EpilogueStep::Kind;
  if (random.Chance())
    for (int64_t i = 0; i < m.columns; ++i) p.product.epilogue.bias.push_back(random.Float(-1, 1));
  if (random.Chance()) p.product.epilogue.steps.push_back({.kind = Kind::kAdd, .input = 5});
  if (random.Chance())
    p.product.epilogue.steps.push_back({.kind = Kind::kClip, .alpha = -1, .beta = 3});
  p.text = Cat(p.product.rows, " x ", m.depth, " x ", m.columns, " ", DTypeName(dtype),
               ", blocks of ", m.block, has_zero_points ? ", zero points" : "");
  return p;
}

// The largest difference from sums of doubles, as a part of the sum of what is summed in size.
double Error(const Problem& p, const Bytes& found) {
  const native::WeightOnlyMatrix& m = p.product.matrix;
  const Tensor w = *native::Widened(m, false);
  double worst = 0;
  for (int64_t r = 0; r < p.product.rows; ++r) {
    for (int64_t n = 0; n < m.columns; ++n) {
      const auto at = static_cast<size_t>(r * m.columns + n);
      double sum = p.product.epilogue.bias.empty()
                       ? 0
                       : double{p.product.epilogue.bias[static_cast<size_t>(n)]};
      double size = 1;
      for (int64_t k = 0; k < m.depth; ++k) {
        const double x = double{p.a[static_cast<size_t>(r * m.depth + k)]} *
                         double{w.data<float>()[k * m.columns + n]};
        sum += x;
        // Zero points are taken off sums: what cancels out leaves its rounding behind.
        size += std::fabs(double{p.a[static_cast<size_t>(r * m.depth + k)]}) * 256 * 0.02;
      }
      for (const EpilogueStep& step : p.product.epilogue.steps)
        sum = step.kind == EpilogueStep::Kind::kAdd ? sum + double{p.addend[at]}
                                                    : std::fmin(std::fmax(sum, -1.0), 3.0);
      float out = 0;
      std::memcpy(&out, found.data() + at * sizeof(float), sizeof out);
      worst = std::fmax(worst, std::fabs(double{out} - sum) / size);
    }
  }
  return worst;
}

}  // namespace

Test(weight_only, every_level_is_near_sums_of_doubles) {
  Random random(11);
  for (int i = 0; i < 150; ++i) {
    const Problem p = RandomProblem(random);
    for (const Isa isa : Levels()) {
      const double error = Error(p, p.Result(isa, 1));
      // A few hundred roundings to 24 bits, most of which cancel out.
      cr_assert_lt(error, 1e-6, "%s at level %d: %g", p.text.c_str(), static_cast<int>(isa), error);
    }
  }
}

Test(weight_only, levels_with_fused_multiply_add_and_any_threads_give_the_same_bits) {
  if (EffectiveIsa() < Isa::kAvx512) cr_skip_test("this processor has no AVX-512");
  Random random(12);
  for (int i = 0; i < 150; ++i) {
    const Problem p = RandomProblem(random);
    const Bytes wanted = p.Result(Isa::kAvx2, 1);
    cr_assert(p.Result(Isa::kAvx512, 1) == wanted, "%s", p.text.c_str());
    cr_assert(p.Result(Isa::kAvx512, 3) == wanted, "%s with threads", p.text.c_str());
  }
}

Test(weight_only, blocks_that_the_loops_do_not_know_are_refused) {
  native::WeightOnlyProduct p{.rows = 1};
  p.matrix = {
      .weights = *Tensor::Make(DType::kS4, {24, 8}), .depth = 24, .columns = 8, .block = 12};
  p.matrix.scales.assign(16, 1.0f);
  const auto kernel = native::MakeWeightOnlyProduct(p, EffectiveIsa());
  cr_assert(!kernel.ok());
  cr_assert_eq(kernel.status().code(), Code::kUnsupported);
}

Test(weight_only, rows_are_gathered_and_widened) {
  native::WeightOnlyGather g{
      .weights = *Tensor::Make(DType::kU4, {3, 5}), .block = 4, .indices = 2};
  // 0 1 2 3 4 / 5 6 7 8 9 / 10 11 12 13 14
  for (int i = 0; i < 15; ++i)
    g.weights.mutable_data<uint8_t>()[i / 2] |= static_cast<uint8_t>(i << (i % 2 * 4));
  g.scales = {1, 2, 1, 2, 10, 100};
  g.zero_points = {0, 0, 5, 9, 10, 10};
  const auto kernel = native::MakeWeightOnlyGather(std::move(g));
  cr_assert(kernel.ok());
  const int64_t indices[] = {-1, 1};
  const Bytes out = Run(**kernel, {nullptr, nullptr, nullptr, indices}, 40, 1);
  const float wanted[] = {0, 10, 20, 30, 400, 0, 1, 2, 3, 0};
  cr_assert_eq(std::memcmp(out.data(), wanted, sizeof wanted), 0);
  const int64_t outside[] = {3, 0};
  cr_assert(Run(**kernel, {nullptr, nullptr, nullptr, outside}, 40, 1).empty());
}
