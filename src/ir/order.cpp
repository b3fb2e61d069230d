// Putting nodes in running order, and dropping what nothing needs.
#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "ir/graph.h"

namespace intmill {
namespace {

// Any node of a cycle among the nodes that wait: going back through what they wait for must come
// to some node twice.
size_t NodeOnCycle(const Graph& graph, const Uses& uses, const std::vector<int64_t>& waits_for,
                   size_t start) {
  std::vector<bool> seen(graph.nodes.size(), false);
  size_t at = start;
  while (!seen[at]) {
    seen[at] = true;
    for (const ValueId id : graph.nodes[at].inputs) {
      if (id == kNoValue) continue;
      const int32_t producer = uses.producer[static_cast<size_t>(id)];
      if (producer == Uses::kNone || waits_for[static_cast<size_t>(producer)] == 0) continue;
      at = static_cast<size_t>(producer);
      break;
    }
  }
  return at;
}

void Renumber(std::vector<ValueId>& ids, const std::vector<ValueId>& new_ids) {
  for (ValueId& id : ids)
    if (id != kNoValue) id = new_ids[static_cast<size_t>(id)];
}

void DropNodes(Graph& graph, const std::vector<bool>& needed) {
  if (std::ranges::find(needed, false) == needed.end()) return;
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (needed[i]) kept.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(kept);
}

void DropUnnamedValues(Graph& graph) {
  std::vector<bool> named(graph.values.size(), false);
  const auto name_all = [&](const std::vector<ValueId>& ids) {
    for (const ValueId id : ids)
      if (id != kNoValue) named[static_cast<size_t>(id)] = true;
  };
  name_all(graph.inputs);
  name_all(graph.outputs);
  for (const Node& node : graph.nodes) {
    name_all(node.inputs);
    name_all(node.outputs);
  }
  if (std::ranges::find(named, false) == named.end()) return;
  std::vector<ValueId> new_ids(graph.values.size(), kNoValue);
  std::vector<Value> kept;
  kept.reserve(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!named[i]) continue;
    new_ids[i] = static_cast<ValueId>(kept.size());
    kept.push_back(std::move(graph.values[i]));
  }
  graph.values = std::move(kept);
  Renumber(graph.inputs, new_ids);
  Renumber(graph.outputs, new_ids);
  for (Node& node : graph.nodes) {
    Renumber(node.inputs, new_ids);
    Renumber(node.outputs, new_ids);
  }
}

}  // namespace

// Kahn's algorithm; among the nodes that are ready the first in the old order goes first, so an
// order that is right already is kept.
Status SortTopologically(Graph& graph) {
  const Uses uses = FindUses(graph);
  std::vector<int64_t> waits_for(graph.nodes.size(), 0);
  for (size_t value = 0; value < graph.values.size(); ++value)
    if (uses.producer[value] != Uses::kNone)
      for (const int32_t consumer : uses.consumers[value])
        ++waits_for[static_cast<size_t>(consumer)];
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (waits_for[i] == 0) ready.push(i);

  std::vector<size_t> order;
  order.reserve(graph.nodes.size());
  while (!ready.empty()) {
    const size_t next = ready.top();
    ready.pop();
    order.push_back(next);
    for (const ValueId id : graph.nodes[next].outputs) {
      // A value made twice, which VerifyGraph refuses, counts for one of its makers only.
      if (id == kNoValue || uses.producer[static_cast<size_t>(id)] != static_cast<int32_t>(next))
        continue;
      for (const int32_t consumer : uses.consumers[static_cast<size_t>(id)])
        if (--waits_for[static_cast<size_t>(consumer)] == 0)
          ready.push(static_cast<size_t>(consumer));
    }
  }
  if (order.size() < graph.nodes.size()) {
    const auto waiting = std::ranges::find_if(waits_for, [](int64_t n) { return n > 0; });
    const auto start = static_cast<size_t>(waiting - waits_for.begin());
    const Node& node = graph.nodes[NodeOnCycle(graph, uses, waits_for, start)];
    return Error(Code::kBadFormat, Place(node), ": needs its own output");
  }
  std::vector<Node> sorted;
  sorted.reserve(order.size());
  for (const size_t i : order) sorted.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(sorted);
  return Ok();
}

void Prune(Graph& graph) {
  // In topological order, so that readers come before producers on the way back.
  std::vector<bool> is_read(graph.values.size(), false);
  for (const ValueId id : graph.outputs) is_read[static_cast<size_t>(id)] = true;
  std::vector<bool> needed(graph.nodes.size(), false);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    needed[i] = std::ranges::any_of(graph.nodes[i].outputs, [&](ValueId id) {
      return id != kNoValue && is_read[static_cast<size_t>(id)];
    });
    if (!needed[i]) continue;
    for (const ValueId id : graph.nodes[i].inputs)
      if (id != kNoValue) is_read[static_cast<size_t>(id)] = true;
  }
  DropNodes(graph, needed);
  DropUnnamedValues(graph);
}

}  // namespace intmill
