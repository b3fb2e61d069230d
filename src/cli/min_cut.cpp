// MinCut: the largest flow between the two states is the cheapest choice (Ford and Fulkerson); its
// paths are the shortest ones (Edmonds and Karp).
#include "cli/min_cut.h"

#include <algorithm>
#include <deque>
#include <limits>

namespace intmill::cli {
namespace {

constexpr double kNothing = 1e-9;  // what is left of a cost after rounding
constexpr size_t kUnreached = std::numeric_limits<size_t>::max();

}  // namespace

MinCut::MinCut(size_t items) : kept_(items), changed_(items + 1), edges_(items + 2) {}

// An item that ends on the kept side pays the edge to the changed one, and the other way round.
void MinCut::AddItem(size_t item, double cost_if_kept, double cost_if_changed) {
  AddEdge(item, changed_, cost_if_kept, 0);
  AddEdge(kept_, item, cost_if_changed, 0);
}

void MinCut::AddBorder(size_t a, size_t b, double cost_if_different) {
  AddEdge(a, b, cost_if_different, cost_if_different);
}

void MinCut::AddEdge(size_t from, size_t to, double room, double room_back) {
  edges_[from].push_back({to, edges_[to].size(), room});
  edges_[to].push_back({from, edges_[from].size() - 1, room_back});
}

// Sends as much as fits along one shortest path; false when there is none.
bool MinCut::Augment() {
  std::vector<size_t> from(edges_.size(), kUnreached);
  std::vector<size_t> by(edges_.size(), 0);  // edges_[from[n]][by[n]] leads to n
  std::deque<size_t> queue = {kept_};
  from[kept_] = kept_;
  while (!queue.empty() && from[changed_] == kUnreached) {
    const size_t node = queue.front();
    queue.pop_front();
    for (size_t i = 0; i < edges_[node].size(); ++i) {
      const Edge& edge = edges_[node][i];
      if (edge.room <= kNothing || from[edge.to] != kUnreached) continue;
      from[edge.to] = node;
      by[edge.to] = i;
      queue.push_back(edge.to);
    }
  }
  if (from[changed_] == kUnreached) return false;
  double flow = std::numeric_limits<double>::infinity();
  for (size_t n = changed_; n != kept_; n = from[n])
    flow = std::min(flow, edges_[from[n]][by[n]].room);
  for (size_t n = changed_; n != kept_; n = from[n]) {
    Edge& edge = edges_[from[n]][by[n]];
    edge.room -= flow;
    edges_[n][edge.back].room += flow;
  }
  return true;
}

// What can still reach the changed side is changed; the rest is kept, ties included.
std::vector<bool> MinCut::Solve() {
  while (Augment()) {
  }
  std::vector<bool> reaches(edges_.size());
  std::deque<size_t> queue = {changed_};
  reaches[changed_] = true;
  while (!queue.empty()) {
    const size_t node = queue.front();
    queue.pop_front();
    for (const Edge& edge : edges_[node]) {
      if (reaches[edge.to] || edges_[edge.to][edge.back].room <= kNothing) continue;
      reaches[edge.to] = true;
      queue.push_back(edge.to);
    }
  }
  reaches.resize(edges_.size() - 2);
  return reaches;
}

}  // namespace intmill::cli
