// The trial finds kernels that are wrong somewhere, and lets those pass that are right.
#include "kernels/onednn/trial.h"

#include <criterion/criterion.h>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// Another kernel, but for one element of its output.
class Spoiled : public Kernel {
 public:
  Spoiled(std::unique_ptr<Kernel> right, size_t byte) : right_(std::move(right)), byte_(byte) {}
  std::string_view name() const override { return "spoiled"; }
  int64_t scratch_bytes() const override { return right_->scratch_bytes(); }
  Status Run(const RunArgs& args, KernelState* state) const override {
    TRY(right_->Run(args, state));
    static_cast<uint8_t*>(args.outputs[0])[byte_] ^= 0x40;
    return Ok();
  }

 private:
  std::unique_ptr<Kernel> right_;
  size_t byte_;
};

}  // namespace

Test(trial, right_kernels_pass) {
  Random random(11);
  for (int i = 0; i < 100; ++i) {
    const ConvolutionProblem p = RandomConvolution(random);
    const auto conv = native::MakeConvolution(p.conv, Isa::kBaseline);
    cr_assert(conv.ok());
    const Status status = onednn::TryOut(p.conv, **conv);
    cr_assert(status.ok(), "%s: %s", p.text.c_str(), status.message().c_str());
    const MatMulProblem q = RandomMatMul(random);
    const auto matmul = native::MakeMatMul(q.matmul, Isa::kBaseline);
    cr_assert(matmul.ok());
    const Status other = onednn::TryOut(q.matmul, **matmul);
    cr_assert(other.ok(), "%s: %s", q.text.c_str(), other.message().c_str());
  }
}

Test(trial, one_wrong_element_in_the_last_channels_is_found) {
  Random random(12);
  for (int i = 0; i < 100; ++i) {
    const ConvolutionProblem p = RandomConvolution(random);
    auto conv = native::MakeConvolution(p.conv, Isa::kBaseline);
    cr_assert(conv.ok());
    const Spoiled kernel(*std::move(conv), p.output_bytes() - 1);
    const Status status = onednn::TryOut(p.conv, kernel);
    cr_assert_eq(status.code(), Code::kUnsupported, "%s", p.text.c_str());
    cr_assert(status.message().find("is wrong on this machine") != std::string::npos);
  }
}

Test(trial, a_wrong_first_row_of_a_product_is_found) {
  Random random(13);
  for (int i = 0; i < 100; ++i) {
    const MatMulProblem p = RandomMatMul(random);
    auto matmul = native::MakeMatMul(p.matmul, Isa::kBaseline);
    cr_assert(matmul.ok());
    const size_t size = p.matmul.out_dtype == DType::kF32 ? 4 : 1;
    const Spoiled kernel(*std::move(matmul), size - 1);
    cr_assert_eq(onednn::TryOut(p.matmul, kernel).code(), Code::kUnsupported, "%s", p.text.c_str());
  }
}
