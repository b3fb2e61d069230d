// Tile: the input repeated along each axis.
#include "base/checked.h"
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const Shape* shape = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> repeats, KnownInts(context, 1, {}));
  std::optional<Shape> out;
  if (shape != nullptr) {
    out = Unknown(static_cast<int64_t>(shape->size()));
    if (repeats && repeats->size() != shape->size())
      return Error(Code::kShape, repeats->size(), " repeats, input has rank ", shape->size());
    for (size_t d = 0; repeats && d < shape->size(); ++d) {
      if ((*repeats)[d] < 0) return Error(Code::kInvalidArgument, "repeats are negative");
      if ((*shape)[d] != kDynamic && !MulFits((*shape)[d], (*repeats)[d], &(*out)[d]))
        return Error(Code::kShape, "dimension ", (*shape)[d], " times ", (*repeats)[d],
                     " is too large");
    }
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// Each axis becomes two: the repeats, which read the same again, and the input's own.
Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  native::CopyPart part;
  for (size_t d = 0; d < move.in().shape.size(); ++d) {
    const int64_t dim = move.in().shape[d];
    const int64_t stride = move.out().strides[d];
    part.shape.push_back(dim == 0 ? 0 : move.out().shape[d] / dim);
    part.input_strides.push_back(0);
    part.output_strides.push_back(dim * stride);
    part.shape.push_back(dim);
    part.input_strides.push_back(move.in().strides[d]);
    part.output_strides.push_back(stride);
  }
  return std::vector{part};
}

constexpr OpDef kOps[] = {{
    .name = "Tile",
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

std::span<const OpDef> TileOps() { return kOps; }

}  // namespace intmill::ops
