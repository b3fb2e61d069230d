// Small inputs become constants of a plan of their own; the plan cache keys on what they hold.
#include "session/shape_values.h"

#include <algorithm>
#include <cstring>

namespace intmill {
namespace {

constexpr int64_t kMaxElements = 64;  // more than any shape, pads or axes need

bool Counts(const Tensor& input, ShapeValues level) {
  if (level == ShapeValues::kNone || input.rank() > 1 || input.elements() > kMaxElements)
    return false;
  switch (input.dtype()) {
    case DType::kS32:
    case DType::kS64:
    case DType::kBool:
      return true;
    case DType::kF32:
      return level == ShapeValues::kIntegersAndFloats;
    default:
      return false;
  }
}

bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.bytes() == 0 || std::memcmp(a.data<std::byte>(), b.data<std::byte>(),
                                        static_cast<size_t>(a.bytes())) == 0);
}

}  // namespace

Result<std::vector<Tensor>> CopyShapeValues(std::span<const Tensor> inputs, ShapeValues level) {
  std::vector<Tensor> values(inputs.size());
  bool any = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!Counts(inputs[i], level)) continue;
    ASSIGN_OR_RETURN(values[i], Tensor::Make(inputs[i].dtype(), inputs[i].shape()));
    if (inputs[i].bytes() > 0)
      std::memcpy(values[i].mutable_data<std::byte>(), inputs[i].data<std::byte>(),
                  static_cast<size_t>(inputs[i].bytes()));
    any = true;
  }
  if (!any) values.clear();
  return values;
}

bool HoldsShapeValues(std::span<const Tensor> inputs, std::span<const Tensor> values) {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].valid() && !SameBytes(inputs[i], values[i])) return false;
  return true;
}

Graph WithShapeValues(Graph graph, std::span<const Tensor> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].valid()) continue;
    const ValueId input = graph.inputs[i];
    const ValueId constant = graph.AddConstant(graph.value(input).name, values[i]);
    ReplaceUses(graph, input, constant);
  }
  return graph;
}

}  // namespace intmill
