// Expand: broadcasting to a shape; a 1 there keeps the input's dimension.
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const Shape* shape = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> wanted, KnownInts(context, 1, {}));
  std::optional<Shape> out;
  if (shape != nullptr && wanted) {
    for (const int64_t dim : *wanted)
      if (dim < 0) return Error(Code::kShape, "cannot expand to dimension ", dim);
    ASSIGN_OR_RETURN(out, BroadcastShapes(*shape, *wanted));
  } else if (shape != nullptr && context.shape(1) != nullptr && context.shape(1)->size() == 1 &&
             (*context.shape(1))[0] >= 0 && (*context.shape(1))[0] <= kMaxRank) {
    out = Unknown(std::max((*context.shape(1))[0], static_cast<int64_t>(shape->size())));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  return std::vector{
      PartOfInput(move, BroadcastStrides(move.in().shape, move.in().strides, move.out().shape))};
}

constexpr OpDef kOps[] = {{
    .name = "Expand",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kMovesData,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = MoveReference<Parts>,
    .lower = LowerMove<Parts>,
}};

}  // namespace

std::span<const OpDef> ExpandOps() { return kOps; }

}  // namespace intmill::ops
