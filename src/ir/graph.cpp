// Building graphs and asking who uses what.
#include "ir/graph.h"

#include <algorithm>
#include <utility>

#include "ir/op.h"

namespace intmill {
namespace {

template <typename Entry>
void Refresh(NameIndex& index, const std::vector<Entry>& entries) {
  const bool stale = index.indexed > entries.size() ||
                     (index.indexed > 0 && entries[index.indexed - 1].name != index.last);
  if (stale) index = {};
  for (; index.indexed < entries.size(); ++index.indexed)
    index.next_suffix.try_emplace(entries[index.indexed].name, 1);
  if (!entries.empty()) index.last = entries.back().name;
}

// `wanted`, or `wanted` with the first free suffix: "conv_1".
template <typename Entry>
std::string Unique(NameIndex& index, const std::vector<Entry>& entries, std::string_view wanted) {
  Refresh(index, entries);
  const auto taken = index.next_suffix.find(wanted);
  if (taken == index.next_suffix.end()) return std::string(wanted);
  while (true) {
    std::string name = Cat(wanted, '_', taken->second++);
    if (!index.next_suffix.contains(name)) return name;
  }
}

}  // namespace

ValueId Graph::AddValue(std::string_view name, DType dtype, std::optional<Shape> shape) {
  Value added;
  added.name = UniqueValueName(name);
  added.dtype = dtype;
  added.shape = std::move(shape);
  values.push_back(std::move(added));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::AddConstant(std::string_view name, Tensor tensor) {
  const ValueId id = AddValue(name, tensor.dtype(), tensor.shape());
  value(id).constant = std::move(tensor);
  return id;
}

Node& Graph::AddNode(std::string_view name, const OpDef* op, std::vector<ValueId> node_inputs,
                     std::vector<ValueId> node_outputs) {
  Node node;
  node.name = UniqueNodeName(name);
  node.op = op;
  node.inputs = std::move(node_inputs);
  node.outputs = std::move(node_outputs);
  return nodes.emplace_back(std::move(node));
}

const Tensor* Graph::ConstantOf(ValueId id) const {
  if (id < 0 || id >= static_cast<ValueId>(values.size())) return nullptr;
  const std::optional<Tensor>& constant = value(id).constant;
  return constant ? &*constant : nullptr;
}

std::string Graph::UniqueValueName(std::string_view wanted) const {
  return Unique(value_names_, values, wanted.empty() ? "value" : wanted);
}

std::string Graph::UniqueNodeName(std::string_view wanted) const {
  return Unique(node_names_, nodes, wanted.empty() ? "node" : wanted);
}

Uses FindUses(const Graph& graph) {
  auto memory = std::make_unique<std::pmr::monotonic_buffer_resource>();
  Uses uses{.consumers = std::pmr::vector<Uses::Readers>(graph.values.size(), memory.get())};
  uses.memory = std::move(memory);
  uses.producer.assign(graph.values.size(), Uses::kNone);
  uses.is_output.assign(graph.values.size(), false);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto index = static_cast<int32_t>(i);
    for (const ValueId id : graph.nodes[i].outputs)
      if (id != kNoValue) uses.producer[static_cast<size_t>(id)] = index;
    for (const ValueId id : graph.nodes[i].inputs)
      if (id != kNoValue) uses.consumers[static_cast<size_t>(id)].push_back(index);
  }
  for (const ValueId id : graph.outputs) uses.is_output[static_cast<size_t>(id)] = true;
  return uses;
}

void ReplaceUses(Graph& graph, ValueId from, ValueId to) {
  for (Node& node : graph.nodes) std::ranges::replace(node.inputs, from, to);
  std::ranges::replace(graph.outputs, from, to);
}

std::string Place(const Node& node) {
  return Cat("node '", node.name, "' (", node.op == nullptr ? "no operator" : node.op->name, ")");
}

}  // namespace intmill
