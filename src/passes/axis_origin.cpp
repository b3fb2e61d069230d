// The rules of AxisOrigin, by trait or by operator. This file names operators.
#include "passes/axis_origin.h"

#include <algorithm>
#include <array>
#include <span>

#include "ir/op.h"

namespace intmill {
namespace {

using Origin = std::optional<std::vector<int64_t>>;

struct Question {
  const Graph& graph;
  const Node& node;
  int64_t axis = 0;
  const Shape& out;

  int64_t rank() const { return static_cast<int64_t>(out.size()); }
  int64_t dim() const { return out[static_cast<size_t>(axis)]; }
  // Null when absent or not known.
  const Shape* shape(size_t i) const {
    if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return nullptr;
    const std::optional<Shape>& shape = graph.value(node.inputs[i]).shape;
    return shape && IsStatic(*shape) ? &*shape : nullptr;
  }
  std::vector<int64_t> whole() const { return std::vector(node.inputs.size(), kWhole); }
};

// The axis of the attribute, which inputs of rank `rank` have.
std::optional<int64_t> AxisOf(const Node& node, int64_t fallback, int64_t rank) {
  const Result<int64_t> given = node.attrs.Int("axis", fallback);
  if (!given.ok()) return {};
  const Result<int64_t> axis = NormalizeAxis(*given, rank);
  return axis.ok() ? std::optional(*axis) : std::nullopt;
}

// Input 0 along this axis, the others whole.
Origin FromFirst(const Question& q, int64_t axis) {
  const Shape* in = q.shape(0);
  if (in == nullptr || axis < 0 || axis >= static_cast<int64_t>(in->size()) ||
      (*in)[static_cast<size_t>(axis)] != q.dim())
    return {};
  std::vector<int64_t> origin = q.whole();
  origin[0] = axis;
  return origin;
}

// The axis of input i that is stretched to the output's; kWhole where it has none, or has 1.
std::optional<int64_t> Stretched(const Question& q, size_t i) {
  if (i >= q.node.inputs.size() || q.node.inputs[i] == kNoValue) return kWhole;
  const Shape* in = q.shape(i);
  if (in == nullptr || in->size() > q.out.size()) return {};
  const int64_t axis = q.axis - (q.rank() - static_cast<int64_t>(in->size()));
  if (axis < 0 || (*in)[static_cast<size_t>(axis)] == 1) return kWhole;
  return (*in)[static_cast<size_t>(axis)] == q.dim() ? std::optional(axis) : std::nullopt;
}

Origin OfElements(const Question& q) {
  std::vector<int64_t> origin;
  for (size_t i = 0; i < q.node.inputs.size(); ++i) {
    const std::optional<int64_t> axis = Stretched(q, i);
    if (!axis) return {};
    origin.push_back(*axis);
  }
  return origin;
}

// QuantizeLinear and DequantizeLinear: one scale, or scales along another axis.
Origin OfScaled(const Question& q) {
  const Shape* scale = q.shape(1);
  const Result<int64_t> block = q.node.attrs.Int("block_size", 0);
  if (scale == nullptr || scale->size() > 1 || !block.ok() || *block != 0) return {};
  if (NumElements(*scale) != 1 && AxisOf(q.node, 1, q.rank()).value_or(q.axis) == q.axis) return {};
  return FromFirst(q, q.axis);
}

// The same elements in the same order: an axis of the same size that has as much before it.
Origin OfAlias(const Question& q) {
  const Shape* in = q.shape(0);
  if (in == nullptr || NumElements(*in) == 0) return {};
  const std::span<const int64_t> dims(q.out);
  int64_t wanted = 1;
  for (const int64_t dim : dims.first(static_cast<size_t>(q.axis))) wanted *= dim;
  int64_t before = 1;
  for (size_t d = 0; d < in->size() && before <= wanted; ++d) {
    if (before == wanted && (*in)[d] == q.dim()) return FromFirst(q, static_cast<int64_t>(d));
    before *= (*in)[d];
  }
  return {};
}

// Rows of A. With a single matrix B the stack that A is has rows in all dimensions but the last.
Origin OfMatMul(const Question& q) {
  const Shape* a = q.shape(0);
  const Shape* b = q.shape(1);
  if (a == nullptr || b == nullptr || a->size() < 2 || b->size() < 2) return {};
  const bool is_row = q.axis == q.rank() - 2;
  if (!is_row && (b->size() != 2 || q.axis == q.rank() - 1)) return {};
  return FromFirst(q, q.axis - (q.rank() - static_cast<int64_t>(a->size())));
}

Origin OfGemm(const Question& q) {
  const Result<int64_t> trans_a = q.node.attrs.Int("transA", 0);
  if (!trans_a.ok() || *trans_a != 0 || q.axis != 0) return {};
  Origin origin = FromFirst(q, 0);
  const std::optional<int64_t> c = Stretched(q, 2);
  if (!origin || !c) return {};
  if (origin->size() > 2) (*origin)[2] = *c;
  return origin;
}

Origin OfLayerNorm(const Question& q) {
  const std::optional<int64_t> normalized = AxisOf(q.node, -1, q.rank());
  return normalized && q.axis < *normalized ? FromFirst(q, q.axis) : Origin();
}

Origin OfSoftmax(const Question& q) {
  const std::optional<int64_t> own = AxisOf(q.node, -1, q.rank());
  if (!own || q.axis == *own || (q.node.attrs.Has("flattens") && q.axis > *own)) return {};
  return FromFirst(q, q.axis);
}

Origin OfTranspose(const Question& q) {
  std::vector<int64_t> reversed;
  for (int64_t d = q.rank(); d-- > 0;) reversed.push_back(d);
  const Result<std::vector<int64_t>> order = q.node.attrs.Ints("perm", reversed);
  if (!order.ok() || order->size() != q.out.size()) return {};
  return FromFirst(q, (*order)[static_cast<size_t>(q.axis)]);
}

Origin OfConcat(const Question& q) {
  if (AxisOf(q.node, 0, q.rank()).value_or(q.axis) == q.axis) return {};
  return std::vector(q.node.inputs.size(), q.axis);
}

struct Rule {
  std::string_view op;
  Origin (*origin)(const Question& q);
};
constexpr std::array kRules = {
    Rule{"MatMul", OfMatMul},      Rule{"Gemm", OfGemm},
    Rule{"Softmax", OfSoftmax},    Rule{"LayerNormalization", OfLayerNorm},
    Rule{"LogSoftmax", OfSoftmax}, Rule{"Transpose", OfTranspose},
    Rule{"Concat", OfConcat},
};

Origin Ask(const Question& q) {
  const OpDef& op = *q.node.op;
  if (op.Has(kElementwise)) return OfElements(q);
  if (op.Has(kQuantize) || op.Has(kDequantize)) return OfScaled(q);
  if (op.Has(kAlias)) return OfAlias(q);
  if (!op.domain.empty()) return {};
  const auto rule = std::ranges::find(kRules, op.name, &Rule::op);
  return rule == kRules.end() ? Origin() : rule->origin(q);
}

}  // namespace

std::optional<std::vector<int64_t>> AxisOrigin(const Graph& graph, const Node& node, int64_t axis) {
  if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs[0] == kNoValue) return {};
  const std::optional<Shape>& out = graph.value(node.outputs[0]).shape;
  if (!out || !IsStatic(*out)) return {};
  Origin origin = Ask({.graph = graph, .node = node, .axis = axis, .out = *out});
  if (!origin || std::ranges::count(*origin, kWhole) == std::ssize(*origin)) return {};
  return origin;
}

}  // namespace intmill
