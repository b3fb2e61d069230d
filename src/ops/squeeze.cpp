// Squeeze: drops dimensions of 1, all of them or those named.
#include <algorithm>

#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Result<std::optional<Shape>> Squeezed(const Shape& in, const Ints& given, bool has_axes) {
  const auto rank = static_cast<int64_t>(in.size());
  ASSIGN_OR_RETURN(const Ints axes, NormalizeAxes(given, rank));
  Shape out;
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t dim = in[static_cast<size_t>(d)];
    // Which dimensions go, and so the rank, is open while one of them is.
    if (!has_axes && dim == kDynamic) return std::optional<Shape>();
    const bool named = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (named && dim != 1 && dim != kDynamic)
      return Error(Code::kShape, "axis ", d, " has dimension ", dim, ", wanted 1");
    if (has_axes ? !named : dim != 1) out.push_back(dim);
  }
  return std::optional<Shape>(out);
}

Status Infer(InferContext& context) {
  const Shape* in = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> axes, KnownInts(context, 1, {}));
  std::optional<Shape> out;
  if (in != nullptr && axes) {
    ASSIGN_OR_RETURN(out, Squeezed(*in, *axes, context.has_input(1)));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// Until opset 12, the axes were an attribute.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  return opset < 13 ? IntsToInput(graph, node, "axes", 1) : Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Squeeze",
    .max_inputs = 2,
    .traits = kMovesData | kAlias,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = AliasReference,
    .lower = LowerAlias,
}};

}  // namespace

std::span<const OpDef> SqueezeOps() { return kOps; }

}  // namespace intmill::ops
