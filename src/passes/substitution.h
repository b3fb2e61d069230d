// Letting readers of many values read others instead, in one sweep over the graph.
#ifndef INTMILL_PASSES_SUBSTITUTION_H
#define INTMILL_PASSES_SUBSTITUTION_H

#include <vector>

#include "ir/graph.h"

namespace intmill {

// Collects replacements and applies them together: one sweep for all keeps rewriting linear.
// Outputs of the graph keep their names.
class Substitution {
 public:
  explicit Substitution(Graph& graph);

  // Readers of `from`, which a node makes, will read `to`, which has the same elements. False when
  // the names of graph outputs forbid it: nothing was changed then. When `from` is an output of the
  // graph, the producer of `to` writes it instead, and readers of `to` read `from`.
  bool Replace(ValueId from, ValueId to);
  // Follows the replacements so far.
  ValueId Now(ValueId id) const;
  // Rewrites all nodes. The nodes that made replaced values are left without readers.
  void Apply();

 private:
  Graph& graph_;
  Uses uses_;
  std::vector<ValueId> next_;  // what replaces each value; itself where nothing does
};

}  // namespace intmill

#endif  // INTMILL_PASSES_SUBSTITUTION_H
