// remove_identity: nodes that hand their input on unchanged are bypassed. This file names the
// operators whose arguments say so, as no trait could.
#include <algorithm>
#include <array>

#include "ir/op.h"
#include "passes/pass.h"
#include "passes/substitution.h"

namespace intmill {
namespace {

// The integers that input i holds, when they are known.
std::optional<std::vector<int64_t>> KnownInts(const Graph& graph, const Node& node, size_t i) {
  const Tensor* constant = i < node.inputs.size() ? graph.ConstantOf(node.inputs[i]) : nullptr;
  if (constant == nullptr || constant->dtype() == DType::kF32) return {};
  Result<std::vector<int64_t>> values = ToInts(*constant);
  if (!values.ok()) return {};
  return *std::move(values);
}

bool HasInput(const Node& node, size_t i) {
  return i < node.inputs.size() && node.inputs[i] != kNoValue;
}

bool AllEqual(const std::optional<std::vector<int64_t>>& values, int64_t wanted) {
  return values && std::ranges::all_of(*values, [&](int64_t v) { return v == wanted; });
}

bool Always(const Graph&, const Node&) { return true; }

bool IsTransposeOfNothing(const Graph&, const Node& node) {
  const Result<std::vector<int64_t>> order = node.attrs.Ints("perm", {});
  return order.ok() && !order->empty() && std::ranges::is_sorted(*order);
}

bool IsPadOfNothing(const Graph& graph, const Node& node) {
  return AllEqual(KnownInts(graph, node, 1), 0);
}

bool IsWholeSlice(const Graph& graph, const Node& node) {
  const auto ends = KnownInts(graph, node, 2);
  const bool to_the_end =
      ends && std::ranges::all_of(*ends, [](int64_t end) { return end >= kMaxDim; });
  return to_the_end && AllEqual(KnownInts(graph, node, 1), 0) &&
         (!HasInput(node, 4) || AllEqual(KnownInts(graph, node, 4), 1));
}

bool IsConcatOfOne(const Graph&, const Node& node) { return node.inputs.size() == 1; }

bool IsCastToSame(const Graph& graph, const Node& node) {
  const DType from = graph.value(node.inputs[0]).dtype;
  return IsKnown(from) && from == graph.value(node.outputs[0]).dtype;
}

bool IsOnce(const Graph& graph, const Node& node) { return AllEqual(KnownInts(graph, node, 1), 1); }

struct Rule {
  std::string_view op;
  bool (*is_identity)(const Graph& graph, const Node& node);
};
constexpr std::array kRules = {
    Rule{"Identity", Always},
    Rule{"Dropout", Always},
    Rule{"Transpose", IsTransposeOfNothing},
    Rule{"Pad", IsPadOfNothing},
    Rule{"Slice", IsWholeSlice},
    Rule{"Concat", IsConcatOfOne},
    Rule{"Cast", IsCastToSame},
    Rule{"Tile", IsOnce},
};

// Equal shapes mean equal dimensions when at most one of them is not known: the number of elements
// decides that one, unless it is zero.
bool MustBeEqual(const std::optional<Shape>& a, const std::optional<Shape>& b) {
  return a && a == b && std::ranges::count(*a, kDynamic) <= 1 && std::ranges::count(*a, 0) == 0;
}

bool IsIdentity(const Graph& graph, const Node& node) {
  if (node.outputs.empty() || node.inputs.empty() || node.inputs[0] == kNoValue) return false;
  // A mask beside the result must have no reader; Prune leaves out what nobody reads.
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return false;
  const Value& in = graph.value(node.inputs[0]);
  const Value& out = graph.value(node.outputs[0]);
  if (node.op->Has(kAlias) && in.dtype == out.dtype && MustBeEqual(in.shape, out.shape))
    return true;
  if (!node.op->domain.empty()) return false;
  const auto rule = std::ranges::find(kRules, node.op->name, &Rule::op);
  return rule != kRules.end() && rule->is_identity(graph, node);
}

}  // namespace

Result<int64_t> RemoveIdentity(Graph& graph, PassContext&) {
  Substitution substitution(graph);
  int64_t removed = 0;
  for (const Node& node : graph.nodes)
    if (IsIdentity(graph, node) && substitution.Replace(node.outputs[0], node.inputs[0])) ++removed;
  substitution.Apply();
  return removed;
}

}  // namespace intmill
