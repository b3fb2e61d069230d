// Replacing values by others.
#include "passes/substitution.h"

#include <algorithm>
#include <numeric>

namespace intmill {

Substitution::Substitution(Graph& graph)
    : graph_(graph), uses_(FindUses(graph)), next_(graph.values.size()) {
  std::iota(next_.begin(), next_.end(), 0);
}

ValueId Substitution::Now(ValueId id) const {
  if (id == kNoValue) return id;
  while (next_[static_cast<size_t>(id)] != id) id = next_[static_cast<size_t>(id)];
  return id;
}

bool Substitution::Replace(ValueId from, ValueId to) {
  from = Now(from);
  to = Now(to);
  if (from == to) return false;
  const auto f = static_cast<size_t>(from);
  const auto t = static_cast<size_t>(to);
  if (!uses_.is_output[f]) {
    next_[f] = to;
    return true;
  }
  // The name of an output stays: the producer of `to` writes it, unless that has a name to keep.
  const int32_t producer = uses_.producer[t];
  const int32_t own = uses_.producer[f];
  if (uses_.is_output[t] || producer == Uses::kNone || own == Uses::kNone) return false;
  const auto give = [&](int32_t node, ValueId old_id, ValueId new_id) {
    std::ranges::replace(graph_.nodes[static_cast<size_t>(node)].outputs, old_id, new_id);
  };
  const ValueId unused =
      graph_.AddValue(graph_.value(to).name, graph_.value(from).dtype, graph_.value(from).shape);
  next_.push_back(unused);
  uses_.is_output.push_back(false);
  uses_.producer.push_back(own);
  give(own, from, unused);
  give(producer, to, from);
  uses_.producer[f] = producer;
  next_[t] = from;
  return true;
}

void Substitution::Apply() {
  // The values that were there take the shortest way from here on.
  for (size_t i = 0; i < next_.size(); ++i) next_[i] = Now(static_cast<ValueId>(i));
  for (Node& node : graph_.nodes)
    for (ValueId& id : node.inputs) id = Now(id);
}

}  // namespace intmill
