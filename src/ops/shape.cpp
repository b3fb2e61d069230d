// Shape: the dimensions of a tensor, or a slice of them, as 64-bit integers.
#include <algorithm>

#include "ops/common/axes.h"

namespace intmill::ops {
namespace {

struct Bounds {
  int64_t start = 0;
  int64_t end = 0;
};

// Out of range is clamped, and an empty slice is allowed.
Result<Bounds> BoundsOf(const Node& node, int64_t rank) {
  ASSIGN_OR_RETURN(int64_t start, node.attrs.Int("start", 0));
  ASSIGN_OR_RETURN(int64_t end, node.attrs.Int("end", rank));
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  return Bounds{start, end};
}

Status Infer(InferContext& context) {
  const Shape* in = context.shape(0);
  Shape out = {kDynamic};
  if (in != nullptr) {
    ASSIGN_OR_RETURN(const Bounds bounds,
                     BoundsOf(context.node(), static_cast<int64_t>(in->size())));
    out[0] = bounds.end - bounds.start;
  }
  context.SetOutput(0, DType::kS64, out);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Bounds bounds, BoundsOf(args.node, args.in(0).rank()));
  int64_t* out = args.out(0).mutable_data<int64_t>();
  for (int64_t d = bounds.start; d < bounds.end; ++d) *out++ = args.in(0).dim(d);
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Shape",
    .traits = kShapeOnly,
    .infer = Infer,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> ShapeOps() { return kOps; }

}  // namespace intmill::ops
