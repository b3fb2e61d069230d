// Reshape: the same elements under another shape; 0 copies a dimension, -1 is what is left.
#include "base/checked.h"
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

// Known dimensions on one side, as a product; dimensions not known yet are counted.
struct Total {
  int64_t product = 1;
  int64_t unknown = 0;

  Status Add(int64_t dim) {
    if (dim == kDynamic) {
      ++unknown;
      return Ok();
    }
    if (MulFits(product, dim, &product)) return Ok();
    return Error(Code::kShape, "the shape has too many elements");
  }
};

// Fills in the dimensions that `wanted` copies or leaves open. A dimension that is unknown and
// copied cancels out of what is left for -1.
Result<Shape> Resolve(const Shape& in, const Ints& wanted, bool zero_is_zero) {
  Shape out = wanted;
  Total before;
  Total after;
  for (const int64_t dim : in) TRY(before.Add(dim));
  std::optional<size_t> open;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1 && open) return Error(Code::kShape, "more than one dimension is -1");
    if (out[i] == -1) {
      open = i;
      continue;
    }
    if (out[i] == 0 && !zero_is_zero) {
      if (i >= in.size())
        return Error(Code::kShape, "dimension ", i, " copies one that is not there");
      out[i] = in[i];
    }
    if (out[i] < kDynamic) return Error(Code::kShape, "dimension ", i, " is ", out[i]);
    TRY(after.Add(out[i]));
  }
  const bool comparable = before.unknown == after.unknown;
  if (open) {
    out[*open] = kDynamic;
    if (!comparable) return out;
    if (after.product == 0 || before.product % after.product != 0)
      return Error(Code::kShape, ToString(in), " does not become ", ToString(wanted));
    out[*open] = before.product / after.product;
  } else if (comparable && before.unknown == 0 && before.product != after.product) {
    return Error(Code::kShape, ToString(in), " does not become ", ToString(wanted));
  }
  return out;
}

Status Infer(InferContext& context) {
  const Shape* in = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> wanted, KnownInts(context, 1, {}));
  ASSIGN_OR_RETURN(const int64_t allow_zero, context.attrs().Int("allowzero", 0));
  std::optional<Shape> out;
  if (wanted && in != nullptr) {
    ASSIGN_OR_RETURN(out, Resolve(*in, *wanted, allow_zero != 0));
  } else if (wanted) {
    out = *wanted;
    for (int64_t& dim : *out) dim = dim > 0 || (dim == 0 && allow_zero != 0) ? dim : kDynamic;
  } else if (context.shape(1) != nullptr && context.shape(1)->size() == 1 &&
             (*context.shape(1))[0] >= 0 && (*context.shape(1))[0] <= kMaxRank) {
    out = Unknown((*context.shape(1))[0]);
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Reshape",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kMovesData | kAlias,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = AliasReference,
    .lower = LowerAlias,
}};

}  // namespace

std::span<const OpDef> ReshapeOps() { return kOps; }

}  // namespace intmill::ops
