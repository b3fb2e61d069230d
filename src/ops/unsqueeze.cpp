// Unsqueeze: puts dimensions of 1 in at the named axes of the output.
#include <algorithm>

#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const Shape* in = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> given, KnownInts(context, 1, {}));
  std::optional<Shape> out;
  if (in != nullptr && given) {
    const auto rank = static_cast<int64_t>(in->size() + given->size());
    ASSIGN_OR_RETURN(const Ints axes, NormalizeAxes(*given, rank));
    out.emplace();
    auto next = in->begin();
    for (int64_t d = 0; d < rank; ++d) {
      const bool is_new = std::find(axes.begin(), axes.end(), d) != axes.end();
      out->push_back(is_new ? 1 : *next++);
    }
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// Until opset 12, the axes were an attribute.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  return opset < 13 ? IntsToInput(graph, node, "axes", 1) : Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Unsqueeze",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kMovesData | kAlias,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = AliasReference,
    .lower = LowerAlias,
}};

}  // namespace

std::span<const OpDef> UnsqueezeOps() { return kOps; }

}  // namespace intmill::ops
