// Mean: of any number of tensors with broadcasting.
#include "ops/common/variadic.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  TRY(VariadicReference<float>(args, [](float a, float b) { return a + b; }));
  const auto count = static_cast<float>(args.inputs.size());
  float* out = args.out(0).mutable_data<float>();
  for (int64_t i = 0; i < args.out(0).elements(); ++i) out[i] /= count;
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Mean",
    .max_inputs = INT64_MAX,
    .traits = kElementwise | kCommutative,
    .infer = InferBinary,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> MeanOps() { return kOps; }

}  // namespace intmill::ops
