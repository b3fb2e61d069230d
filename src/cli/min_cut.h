// MinCut: which items to give another state, when each has a cost in either state and neighbours
// that differ cost something too.
#ifndef INTMILL_CLI_MIN_CUT_H
#define INTMILL_CLI_MIN_CUT_H

#include <cstddef>
#include <vector>

namespace intmill::cli {

class MinCut {
 public:
  explicit MinCut(size_t items);

  // Costs are not negative.
  void AddItem(size_t item, double cost_if_kept, double cost_if_changed);
  void AddBorder(size_t a, size_t b, double cost_if_different);
  // The cheapest choice: true for items to change. Where choices cost the same, items are kept.
  std::vector<bool> Solve();

 private:
  struct Edge {
    size_t to;
    size_t back;  // of edges_[to], the same edge the other way
    double room;  // flow that still fits
  };

  void AddEdge(size_t from, size_t to, double room, double room_back);
  bool Augment();

  size_t kept_;     // node that holds what is kept
  size_t changed_;  // node that holds what is changed
  std::vector<std::vector<Edge>> edges_;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_MIN_CUT_H
