// AveragePool: the mean of each window, with or without the padding that it covers.
#include "ops/common/pool.h"

namespace intmill::ops {
namespace {

Result<bool> CountsPadding(const Node& node) {
  ASSIGN_OR_RETURN(const int64_t counts, node.attrs.Int("count_include_pad", 0));
  return counts != 0;
}

Status Infer(InferContext& context) { return InferPool(context, PoolArea::kWindow); }

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const bool count_padding, CountsPadding(args.node));
  return AverageReference(args, PoolArea::kWindow, count_padding);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const bool count_padding, CountsPadding(args.node));
  return LowerAveragePool(args, PoolArea::kWindow, count_padding);
}

constexpr OpDef kOps[] = {{
    .name = "AveragePool",
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kAllInputs,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> AveragePoolOps() { return kOps; }

}  // namespace intmill::ops
