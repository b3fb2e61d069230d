// Axes and other small lists of integers that operators take as attributes or as inputs.
#include "ops/common/axes.h"

namespace intmill::ops {
namespace {

void SetInput(Graph& graph, Node& node, std::string_view name, int64_t i, Tensor tensor) {
  const auto at = static_cast<size_t>(i);
  if (node.inputs.size() <= at) node.inputs.resize(at + 1, kNoValue);
  node.inputs[at] = graph.AddConstant(Cat(node.name, "_", name), std::move(tensor));
}

}  // namespace

Result<Ints> NormalizeAxes(const Ints& axes, int64_t rank) {
  Ints out;
  std::vector<bool> seen(static_cast<size_t>(rank));
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int64_t normal, NormalizeAxis(axis, rank));
    if (seen[static_cast<size_t>(normal)])
      return Error(Code::kInvalidArgument, "axis ", axis, " is given twice");
    seen[static_cast<size_t>(normal)] = true;
    out.push_back(normal);
  }
  return out;
}

Result<int64_t> AxisAttribute(const Node& node, std::string_view name, int64_t fallback,
                              int64_t rank) {
  ASSIGN_OR_RETURN(const int64_t axis, node.attrs.Int(name, fallback));
  return NormalizeAxis(axis, rank);
}

Result<std::optional<Ints>> KnownInts(const InferContext& context, int64_t i, Ints fallback) {
  if (!context.has_input(i)) return std::optional<Ints>(std::move(fallback));
  const Tensor* constant = context.constant(i);
  if (constant == nullptr) return std::optional<Ints>();
  ASSIGN_OR_RETURN(Ints values, ToInts(*constant));
  return std::optional<Ints>(std::move(values));
}

Status IntsToInput(Graph& graph, Node& node, std::string_view attribute, int64_t i) {
  if (!node.attrs.Has(attribute)) return Ok();
  ASSIGN_OR_RETURN(const Ints values, node.attrs.Ints(attribute, {}));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Of(values));
  SetInput(graph, node, attribute, i, std::move(tensor));
  node.attrs.Remove(attribute);
  return Ok();
}

Status FloatToInput(Graph& graph, Node& node, std::string_view attribute, int64_t i) {
  if (!node.attrs.Has(attribute)) return Ok();
  ASSIGN_OR_RETURN(const float value, node.attrs.Float(attribute, 0));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Scalar(value));
  SetInput(graph, node, attribute, i, std::move(tensor));
  node.attrs.Remove(attribute);
  return Ok();
}

}  // namespace intmill::ops
