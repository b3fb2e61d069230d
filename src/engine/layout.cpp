// The layout of each step: spatial operators compute channels-last, most others row-major, and
// elementwise ones in whatever their input is stored in.
#include "engine/layout.h"

#include <algorithm>

namespace intmill {
namespace {

bool CanBeChannelsLast(const Shape& shape) { return shape.size() >= 3 && shape.size() <= 5; }

// An elementwise or moving node follows the first input of the output's rank that is not constant.
Layout FollowedLayout(const Graph& graph, const Node& node, std::span<const Layout> stored) {
  const Shape& out = *graph.value(node.outputs[0]).shape;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (id == kNoValue || graph.value(id).constant) continue;
    if (graph.value(id).shape->size() == out.size() && stored[i] == Layout::kChannelsLast)
      return Layout::kChannelsLast;
  }
  return Layout::kPlain;
}

// Two elements to a byte, which no reorder can tell apart.
bool HasPackedValue(const Graph& graph, const Node& node) {
  const auto is_packed = [&](ValueId id) {
    return id != kNoValue && BitsOf(graph.value(id).dtype) < 8;
  };
  return std::ranges::any_of(node.inputs, is_packed) ||
         std::ranges::any_of(node.outputs, is_packed);
}

}  // namespace

Shape PhysicalShape(const Shape& shape, Layout layout) {
  Shape physical = shape;
  if (layout == Layout::kChannelsLast && shape.size() >= 3)
    std::rotate(physical.begin() + 1, physical.begin() + 2, physical.end());
  return physical;
}

bool LayoutsCoincide(const Shape& shape) {
  if (shape.size() < 3 || shape[1] == 1) return true;
  return std::all_of(shape.begin() + 2, shape.end(), [](int64_t d) { return d == 1; });
}

Layout ChooseLayout(const Graph& graph, const Node& node, std::span<const Layout> stored) {
  if (node.op->layout == LayoutRule::kPlain || HasPackedValue(graph, node)) return Layout::kPlain;
  // One layout serves all outputs, so all of them must be able to have it.
  for (const ValueId id : node.outputs)
    if (id != kNoValue && !CanBeChannelsLast(*graph.value(id).shape)) return Layout::kPlain;
  if (node.op->layout == LayoutRule::kSpatial) return Layout::kChannelsLast;
  return FollowedLayout(graph, node, stored);
}

bool InputFollows(const Graph& graph, const Node& node, size_t i, Layout layout) {
  const Value& value = graph.value(node.inputs[i]);
  if (value.constant) return false;
  if (layout == Layout::kPlain || node.op->layout == LayoutRule::kPlain) return true;
  const Shape& out = *graph.value(node.outputs[0]).shape;
  // A residual that a spatial step adds lies as its output; weights and scales stay row-major.
  if (node.op->layout == LayoutRule::kSpatial)
    return i == 0 || std::any_of(node.post_ops.begin(), node.post_ops.end(), [&](const PostOp& p) {
             return p.kind == PostOp::Kind::kAdd && p.input == static_cast<int64_t>(i);
           });
  return value.shape->size() == out.size();
}

}  // namespace intmill
