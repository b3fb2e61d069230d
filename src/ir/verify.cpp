// The structure that every graph has: checked after import and after every rewrite.
#include <algorithm>
#include <utility>

#include "ir/infer.h"
#include "ir/op.h"

namespace intmill {
namespace {

// Sorted, not hashed: names come from files, and equal hashes can be arranged.
template <typename Entry>
Status CheckNames(const std::vector<Entry>& entries, const char* what) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) {
    if (entry.name.empty()) return Error(Code::kBadFormat, "a ", what, " has no name");
    names.push_back(entry.name);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return Ok();
  return Error(Code::kBadFormat, "two ", what, "s have the name '", *twice, "'");
}

// Walks the graph in order and remembers which values exist so far.
class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), made_(graph.values.size(), false) {}

  Status Run() {
    TRY(Begin());
    for (const Node& node : graph_.nodes) TRY(Visit(node).At([&] { return Place(node); }));
    for (const ValueId id : graph_.outputs) TRY(CheckRead(id).At("graph output"));
    return Ok();
  }

 private:
  bool InRange(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < graph_.values.size();
  }

  Status Begin() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      if (!value.constant) continue;
      if (value.constant->dtype() != value.dtype || value.shape != value.constant->shape())
        return Error(Code::kInternal, "constant '", value.name, "' differs from its value in type ",
                     "or shape");
      made_[i] = true;
    }
    for (const ValueId id : graph_.inputs) TRY(CheckMade(id).At("graph input"));
    return Ok();
  }

  Status CheckMade(ValueId id) {
    if (!InRange(id)) return Error(Code::kBadFormat, "value ", id, " does not exist");
    const auto i = static_cast<size_t>(id);
    if (made_[i])
      return Error(Code::kBadFormat, "value '", graph_.value(id).name, "' is made twice");
    made_[i] = true;
    return Ok();
  }

  Status CheckRead(ValueId id) const {
    if (!InRange(id)) return Error(Code::kBadFormat, "value ", id, " does not exist");
    if (made_[static_cast<size_t>(id)]) return Ok();
    return Error(Code::kBadFormat, "value '", graph_.value(id).name,
                 "' is read before anything makes it");
  }

  static Status CheckCount(const char* what, const std::vector<ValueId>& ids, int64_t extra,
                           int64_t min, int64_t max) {
    const auto count = static_cast<int64_t>(ids.size()) - extra;
    if (count < min || count > max)
      return Error(Code::kBadFormat, "has ", count, " ", what, ", wanted ", min,
                   max == min         ? ""
                   : max == INT64_MAX ? " or more"
                                      : " to " + std::to_string(max));
    for (int64_t i = 0; i < min; ++i)
      if (ids[static_cast<size_t>(i)] == kNoValue)
        return Error(Code::kBadFormat, "number ", i, " of its ", what, " is missing");
    return Ok();
  }

  // Of operators that take any number of inputs, none is optional.
  static Status CheckNoneMissing(const Node& node) {
    const auto missing = std::ranges::find(node.inputs, kNoValue);
    if (missing == node.inputs.end()) return Ok();
    return Error(Code::kBadFormat, "number ", missing - node.inputs.begin(),
                 " of its inputs is missing");
  }

  Status Visit(const Node& node) {
    if (node.op == nullptr) return Error(Code::kInternal, "has no operator");
    int64_t added = 0;  // tensors of residual adds come after the operator's own inputs
    for (const PostOp& post_op : node.post_ops) {
      if (post_op.kind != PostOp::Kind::kAdd) continue;
      ++added;
      if (post_op.input < 0 || post_op.input >= static_cast<int64_t>(node.inputs.size()))
        return Error(Code::kInternal, "a fused add reads input ", post_op.input, " of ",
                     node.inputs.size());
    }
    TRY(CheckCount("inputs", node.inputs, added, node.op->min_inputs, node.op->max_inputs));
    if (node.op->max_inputs == INT64_MAX) TRY(CheckNoneMissing(node));
    TRY(CheckCount("outputs", node.outputs, 0, node.op->min_outputs, node.op->max_outputs));
    for (const ValueId id : node.inputs)
      if (id != kNoValue) TRY(CheckRead(id));
    for (const ValueId id : node.outputs)
      if (id != kNoValue) TRY(CheckMade(id));
    return Ok();
  }

  const Graph& graph_;
  std::vector<bool> made_;
};

}  // namespace

Status VerifyEdges(const Graph& graph) { return Verifier(graph).Run(); }

Status VerifyGraph(const Graph& graph) {
  TRY(CheckNames(graph.values, "value"));
  TRY(CheckNames(graph.nodes, "node"));
  return VerifyEdges(graph);
}

}  // namespace intmill
