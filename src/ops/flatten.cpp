// Flatten: two dimensions, those before the axis and those from it on.
#include "base/checked.h"
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Result<int64_t> Product(std::span<const int64_t> dims) {
  int64_t product = 1;
  for (const int64_t dim : dims) {
    if (dim == kDynamic) return kDynamic;
    if (!MulFits(product, dim, &product))
      return Error(Code::kShape, "the shape has too many elements");
  }
  return product;
}

Status Infer(InferContext& context) {
  const Shape* in = context.shape(0);
  Shape out = Unknown(2);
  if (in != nullptr) {
    const auto rank = static_cast<int64_t>(in->size());
    ASSIGN_OR_RETURN(const int64_t given, context.attrs().Int("axis", 1));
    if (given < -rank || given > rank)  // rank itself is allowed here
      return Error(Code::kInvalidArgument, "attribute 'axis' is ", given, ", input has rank ",
                   rank);
    const auto axis = static_cast<size_t>(given < 0 ? given + rank : given);
    ASSIGN_OR_RETURN(out[0], Product(std::span(*in).first(axis)));
    ASSIGN_OR_RETURN(out[1], Product(std::span(*in).subspan(axis)));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Flatten",
    .traits = kMovesData | kAlias,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = AliasReference,
    .lower = LowerAlias,
}};

}  // namespace

std::span<const OpDef> FlattenOps() { return kOps; }

}  // namespace intmill::ops
