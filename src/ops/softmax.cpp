// Softmax: e^x / sum of e^x along an axis. MaskedSoftmax: the same of scale * x + mask along the
// last axis, as attention has it; fuse_softmax makes it.
#include "ops/common/softmax.h"

namespace intmill::ops {
namespace {

// The output lies in 0..1, which 256 steps cover whatever the data.
Result<QParams> FixedOutput(const Node&, DType dtype) {
  return QParams{
      .dtype = dtype, .scales = {1.0f / 256}, .zero_points = {dtype == DType::kU8 ? 0 : -128}};
}

Status Reference(const ReferenceArgs& args) { return SoftmaxReference(args, false); }
Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) { return LowerSoftmax(args, false); }

constexpr OpDef kOps[] = {
    {
        .name = "Softmax",
        .quant = QuantRule::kAllInputs,
        .fixed_output = FixedOutput,
        .upgrade = UpgradeSoftmax,
        .infer = InferSoftmax,
        .reference = Reference,
        .lower = Lower,
    },
    {
        .name = "MaskedSoftmax",
        .domain = "intmill",
        .max_inputs = 2,
        .infer = InferSoftmax,
        .reference = Reference,
        .lower = Lower,
    },
};

}  // namespace

std::span<const OpDef> SoftmaxOps() { return kOps; }

}  // namespace intmill::ops
