// LogSoftmax: x - log of the sum of e^x along an axis.
#include "ops/common/softmax.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) { return SoftmaxReference(args, true); }
Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) { return LowerSoftmax(args, true); }

constexpr OpDef kOps[] = {{
    .name = "LogSoftmax",
    .upgrade = UpgradeSoftmax,
    .infer = InferSoftmax,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> LogSoftmaxOps() { return kOps; }

}  // namespace intmill::ops
