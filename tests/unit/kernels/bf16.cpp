// Products of BF16 against plain loops over integers, bit for bit: numbers that BF16 holds exactly,
// and f32 their sums, so that the order of a sum does not show.
#include <bit>
#include <criterion/criterion.h>

#include "base/memory.h"
#include "kernels/native/unary.h"
#include "kernels/onednn/runtime.h"
#include "tensor/half.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr int kProblems = 300;

std::vector<uint16_t> AsBf16(const Bytes& bytes) {
  std::vector<uint16_t> halves;
  for (const uint8_t byte : bytes)
    halves.push_back(FloatToBf16(static_cast<float>(static_cast<int8_t>(byte))));
  return halves;
}

Bytes Rounded(const Bytes& floats) {
  Bytes halves(floats.size() / 2);
  const auto* from = reinterpret_cast<const float*>(floats.data());
  auto* to = reinterpret_cast<uint16_t*>(halves.data());
  for (size_t i = 0; i < floats.size() / 4; ++i) to[i] = FloatToBf16(from[i]);
  return halves;
}

// Weights of -8 to 7: sums of them by bytes stay below 2^24.
void MakeSmall(Bytes& weights) {
  for (uint8_t& w : weights) w = static_cast<uint8_t>(static_cast<int8_t>(w) >> 4);
}

// Of integers only, which stay exact.
Epilogue RandomSteps(Random& random, int64_t channels) {
  Epilogue e{.scales = {1}};
  for (int64_t c = 0, has_bias = random.Int(0, 1); has_bias && c < channels; ++c)
    e.bias.push_back(static_cast<float>(random.Int(-500, 500)));
  if (random.Int(0, 2) == 0)
    e.steps.push_back({.kind = EpilogueStep::Kind::kClip, .alpha = -700, .beta = 1200});
  if (random.Int(0, 2) == 0)
    e.steps.push_back({.kind = EpilogueStep::Kind::kAdd, .input = 3, .dtype = DType::kF32});
  if (random.Int(0, 2) == 0)
    e.steps.push_back({.kind = EpilogueStep::Kind::kClip, .alpha = 0, .beta = INFINITY});
  return e;
}

std::vector<float> Addend(Random& random, size_t n) {
  std::vector<float> addend(n);
  for (float& x : addend) x = static_cast<float>(random.Int(-400, 400));
  return addend;
}

// `plain` computes with integers, `fast` with the same numbers in BF16.
void ExpectSame(const Kernel& plain, const std::vector<const void*>& integers, const Kernel& fast,
                const std::vector<const void*>& halves, size_t elements, DType out,
                const std::string& text) {
  Bytes wanted = Run(plain, integers, elements * sizeof(float), 1);
  cr_assert(!wanted.empty());
  if (out == DType::kBf16) wanted = Rounded(wanted);
  for (const int64_t threads : {1, 2, 4})
    cr_assert(Run(fast, halves, wanted.size(), threads) == wanted, "%s: %s, %d threads",
              text.c_str(), std::string(fast.name()).c_str(), static_cast<int>(threads));
}

}  // namespace

Test(bf16, matrix_products_equal_plain_loops_for_any_thread_count) {
  if (!HasBf16(EffectiveIsa())) cr_skip_test("this processor has no products of BF16");
  Random random(21);
  for (int i = 0; i < kProblems; ++i) {
    MatMulProblem p = RandomMatMul(random);
    const bool is_constant = p.matmul.weights != nullptr;
    MakeSmall(p.weights);
    MakeSmall(p.b);
    MatMul m = p.matmul;
    m.a_dtype = DType::kS8;
    m.out_dtype = DType::kF32;
    m.a_zero_point = m.b_zero_point = 0;
    m.epilogue = RandomSteps(random, m.columns());
    const std::vector<uint16_t> a = AsBf16(p.a);
    const std::vector<uint16_t> b = AsBf16(is_constant ? p.weights : p.b);
    const std::vector<float> addend = Addend(random, static_cast<size_t>(NumElements(m.out)));
    const auto plain = native::MakeMatMul(m, Isa::kBaseline);
    cr_assert(plain.ok(), "%s: %s", p.text.c_str(), plain.status().message().c_str());

    m.a_dtype = m.b_dtype = DType::kBf16;
    m.out_dtype = random.Chance() ? DType::kF32 : DType::kBf16;
    m.epilogue.scales.clear();
    if (is_constant) m.weights = b.data();
    const auto fast = MakeMatMul(m, EffectiveIsa());
    cr_assert(fast.ok(), "%s: %s", p.text.c_str(), fast.status().message().c_str());
    cr_assert(!is_constant || (*fast)->packs_input(1));
    ExpectSame(**plain, {p.a.data(), p.b.data(), nullptr, addend.data()}, **fast,
               {a.data(), b.data(), nullptr, addend.data()}, addend.size(), m.out_dtype, p.text);
  }
}

Test(bf16, convolutions_equal_plain_loops_for_any_thread_count) {
  if (!HasBf16(EffectiveIsa())) cr_skip_test("this processor has no products of BF16");
  Random random(22);
  int compared = 0;
  for (int i = 0; i < kProblems; ++i) {
    ConvolutionProblem p = i % 5 == 0 ? RandomDepthwise(random) : RandomConvolution(random);
    MakeSmall(p.weights);
    Convolution& c = p.conv;
    c.in_dtype = DType::kS8;
    c.out_dtype = DType::kF32;
    c.in_zero_point = 0;
    c.epilogue = RandomSteps(random, c.out_channels);
    const std::vector<uint16_t> image = AsBf16(p.input);
    const std::vector<uint16_t> weights = AsBf16(p.weights);
    const std::vector<float> addend = Addend(random, p.output_bytes() / sizeof(float));
    const auto plain = native::MakeConvolution(c, Isa::kBaseline);
    cr_assert(plain.ok(), "%s: %s", p.text.c_str(), plain.status().message().c_str());

    c.in_dtype = c.weight_dtype = DType::kBf16;
    c.out_dtype = random.Chance() ? DType::kF32 : DType::kBf16;
    c.epilogue.scales.clear();
    c.weights = weights.data();
    const auto fast = MakeConvolution(c, EffectiveIsa());
    if (!fast.ok()) {
      cr_assert_eq(fast.status().code(), Code::kUnsupported, "%s: %s", p.text.c_str(),
                   fast.status().message().c_str());
      continue;
    }
    ++compared;
    ExpectSame(**plain, {p.input.data(), nullptr, nullptr, addend.data()}, **fast,
               {image.data(), nullptr, nullptr, addend.data()}, addend.size(), c.out_dtype, p.text);
  }
  cr_assert_gt(compared, kProblems * 9 / 10, "%d", compared);
}

// Sums that another order of adding would change.
Test(bf16, a_kernel_gives_the_same_bits_for_any_thread_count) {
  if (!HasBf16(EffectiveIsa())) cr_skip_test("this processor has no products of BF16");
  Random random(23);
  for (const int64_t rows : {1, 2, 37, 128}) {
    for (const int64_t depth : {64, 769, 4096}) {
      MatMul m{.a = {rows, depth}, .b = {depth, 300}, .out = {rows, 300}};
      m.a_dtype = m.b_dtype = DType::kBf16;
      std::vector<uint16_t> a(static_cast<size_t>(rows * depth));
      std::vector<uint16_t> b(static_cast<size_t>(depth * 300));
      for (uint16_t& x : a) x = FloatToBf16(random.Float(-1, 1));
      for (uint16_t& x : b) x = FloatToBf16(random.Float(-1, 1));
      m.weights = b.data();
      const auto kernel = MakeMatMul(m, EffectiveIsa());
      cr_assert(kernel.ok(), "%s", kernel.status().message().c_str());
      const auto bytes = static_cast<size_t>(rows) * 300 * sizeof(float);
      const Bytes first = Run(**kernel, {a.data(), nullptr}, bytes, 1);
      for (const int64_t threads : {2, 4})
        cr_expect(Run(**kernel, {a.data(), nullptr}, bytes, threads) == first,
                  "%s: %d x %d, %d threads", std::string((*kernel)->name()).c_str(),
                  static_cast<int>(rows), static_cast<int>(depth), static_cast<int>(threads));
    }
  }
}

Test(bf16, without_instructions_for_it_there_is_no_kernel) {
  const uint16_t one = FloatToBf16(1);
  MatMul m{.a = {1, 1}, .b = {1, 1}, .out = {1, 1}};
  m.a_dtype = m.b_dtype = DType::kBf16;
  m.weights = &one;
  const auto kernel = MakeMatMul(m, Isa::kAvx512Vnni);
  cr_assert_eq(kernel.status().code(), Code::kUnsupported);
  cr_expect_str_eq(kernel.status().message().c_str(), "avx512_vnni has no products of BF16");
}

Test(bf16, rounding_is_half_to_even_at_every_level_and_keeps_nan) {
  std::vector<float> x;
  for (const uint32_t bits :
       {0U, 0x80000000U, 0x3f808000U, 0x3f818000U, 0x3f808001U, 0x7f7fffffU, 0x7f800000U,
        0xff800000U, 0x7f800001U, 0xffffffffU, 0x00000001U, 0x00008000U, 0x00018000U, 0x807fffffU})
    x.push_back(std::bit_cast<float>(bits));
  Random random(24);
  for (int i = 0; i < 4000; ++i)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(random.Int(0, UINT32_MAX))));
  std::vector<uint16_t> halves(x.size());
  std::vector<float> back(x.size());
  const auto n = static_cast<int64_t>(x.size());
  for (const Isa isa : Levels()) {
    native::NarrowBf16For(isa)(x.data(), halves.data(), n);
    native::WidenBf16For(isa)(halves.data(), back.data(), n);
    for (size_t i = 0; i < x.size(); ++i) {
      cr_assert_eq(halves[i], FloatToBf16(x[i]), "%s: %a", IsaName(isa), static_cast<double>(x[i]));
      cr_assert_eq(std::bit_cast<uint32_t>(back[i]),
                   std::bit_cast<uint32_t>(Bf16ToFloat(halves[i])));
    }
  }
}
