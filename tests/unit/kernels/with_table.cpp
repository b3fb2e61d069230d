// Products and convolutions that look up what they write: the bytes are those of the plain kernel,
// each replaced by its entry.
#include <algorithm>
#include <criterion/criterion.h>

#include "kernels/onednn/runtime.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr int kProblems = 150;

native::ByteTable RandomTable(Random& random) {
  const Bytes bytes = random.Fill(256);
  native::ByteTable table;
  std::ranges::copy(bytes, table.begin());
  return table;
}

Bytes LookedUp(Bytes bytes, const native::ByteTable& table) {
  for (uint8_t& byte : bytes) byte = table[byte];
  return bytes;
}

// `epilogue` is that of the problem; `make` makes a kernel for it as it then is.
template <typename Problem, typename MakeFn>
void ExpectLookedUp(const Problem& problem, Epilogue& epilogue, const Kernel& plain, Random& random,
                    MakeFn make) {
  const native::ByteTable table = RandomTable(random);
  const Bytes wanted = LookedUp(Run(plain, problem.inputs(), problem.output_bytes(), 1), table);
  cr_assert(!wanted.empty());
  epilogue.table = table;
  for (const Isa isa : {Isa::kBaseline, EffectiveIsa()}) {
    const Result<std::unique_ptr<Kernel>> kernel = make(isa);
    cr_assert(kernel.ok(), "%s", problem.text.c_str());
    for (const int64_t threads : {1, 2, 4})
      cr_assert(Run(**kernel, problem.inputs(), problem.output_bytes(), threads) == wanted,
                "%s: %s differs with %d threads", problem.text.c_str(),
                std::string((*kernel)->name()).c_str(), static_cast<int>(threads));
  }
  epilogue.table.reset();
}

void ExpectProductLookedUp(MatMulProblem& p, Random& random) {
  const auto plain = native::MakeMatMul(p.matmul, Isa::kBaseline);
  cr_assert(plain.ok(), "%s", p.text.c_str());
  ExpectLookedUp(p, p.matmul.epilogue, **plain, random,
                 [&](Isa isa) { return MakeMatMul(p.matmul, isa); });
}

void ExpectConvolutionLookedUp(ConvolutionProblem& p, Random& random) {
  const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
  cr_assert(plain.ok(), "%s", p.text.c_str());
  ExpectLookedUp(p, p.conv.epilogue, **plain, random,
                 [&](Isa isa) { return MakeConvolution(p.conv, isa); });
}

// u8 by constant s8, which our own product takes.
MatMulProblem Product(Random& random, int64_t rows, int64_t columns, int64_t depth, bool adds,
                      DType out) {
  MatMulProblem p;
  p.weights = random.Fill(depth * columns);
  p.a = random.Fill(rows * depth);
  p.addend = random.Fill(rows * columns);
  p.matmul = {.a = {rows, depth},
              .b = {depth, columns},
              .out = {rows, columns},
              .a_dtype = DType::kU8,
              .b_dtype = DType::kS8,
              .out_dtype = out,
              .weights = p.weights.data()};
  p.matmul.epilogue.scales = {0.002f};
  if (adds)
    p.matmul.epilogue.steps = {{.kind = EpilogueStep::Kind::kAdd, .input = 3, .dtype = DType::kU8}};
  p.text = Cat(rows, " x ", columns, " of ", depth);
  return p;
}

}  // namespace

Test(with_table, any_product_of_random_shape_gives_the_entries_of_its_bytes) {
  Random random(21);
  for (int i = 0; i < kProblems;) {
    MatMulProblem p = RandomMatMul(random, i % 10 == 0 ? 600 : 100);
    if (p.matmul.out_dtype == DType::kF32) continue;
    ExpectProductLookedUp(p, random);
    ++i;
  }
}

Test(with_table, rows_fewer_than_a_block_and_rows_computed_twice_are_looked_up_once) {
  Random random(22);
  for (const int64_t rows : {1, 5, 23, 24, 25, 241})
    for (const int64_t columns : {7, 48, 64, 100, 384, 400})
      for (const bool adds : {false, true})
        for (const DType out : {DType::kU8, DType::kS8}) {
          MatMulProblem p = Product(random, rows, columns, 32, adds, out);
          ExpectProductLookedUp(p, random);
        }
}

// Steps of more than one part, and more than one chunk.
Test(with_table, parts_and_chunks_are_looked_up_once) {
  Random random(23);
  for (const int64_t depth : {64, 2048}) {
    MatMulProblem p = Product(random, 900, 450, depth, true, DType::kU8);
    ExpectProductLookedUp(p, random);
  }
}

Test(with_table, any_convolution_of_random_shape_gives_the_entries_of_its_bytes) {
  Random random(24);
  for (int i = 0; i < kProblems;) {
    ConvolutionProblem p = i % 3 == 0   ? RandomDepthwise(random)
                           : i % 3 == 1 ? RandomPointwise(random)
                                        : RandomConvolution(random);
    if (p.conv.out_dtype == DType::kF32) continue;
    ExpectConvolutionLookedUp(p, random);
    ++i;
  }
}

Test(with_table, a_kernel_with_a_table_behind_it_is_that_kernel_in_all_else) {
  class Inner : public Kernel {
   public:
    std::string_view name() const override { return "inner"; }
    int64_t scratch_bytes() const override { return 12; }
    int64_t packed_bytes() const override { return 34; }
    bool packs_input(int64_t i) const override { return i == 1; }
    bool starts_regions() const override { return true; }
    Result<std::unique_ptr<KernelState>> MakeState() const override {
      return {std::make_unique<KernelState>()};
    }
    Status Run(const RunArgs& args, KernelState* state) const override {
      if (state == nullptr || args.scratch == nullptr) return Error(Code::kInternal, "no state");
      static_cast<uint8_t*>(args.outputs[0])[0] = 7;
      return Ok();
    }
  };
  native::ByteTable table{};
  table[7] = 99;
  const auto kernel = native::MakeWithTable(std::make_unique<Inner>(), table, 1, DetectIsa());
  cr_assert(kernel.ok());
  cr_expect((*kernel)->name() == "inner");
  cr_expect_eq((*kernel)->scratch_bytes(), 12);
  cr_expect_eq((*kernel)->packed_bytes(), 34);
  cr_expect((*kernel)->packs_input(1) && !(*kernel)->packs_input(0));
  cr_expect((*kernel)->starts_regions());
  cr_expect(Run(**kernel, {}, 1, 1) == Bytes{99});
}
