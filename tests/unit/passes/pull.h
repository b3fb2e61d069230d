// What tests of pull_selection and of its rules have in common: a stack of tokens, and the graph
// after that pass alone. References compute each row with the same operations wherever it stands,
// so results are the same bits.
#ifndef INTMILL_TESTS_UNIT_PASSES_PULL_H
#define INTMILL_TESTS_UNIT_PASSES_PULL_H

#include <string>
#include <vector>

#include "passes/pass.h"
#include "unit/passes/check.h"

namespace intmill::test {

inline constexpr int64_t kTokens = 6;
inline constexpr int64_t kWidth = 4;

// x: two of batch, six tokens of four numbers.
struct Tokens : GraphBuilder {
  ValueId x = Input("x", {2, kTokens, kWidth});

  ValueId Weight(const Shape& shape) { return Constant(RandomTensor(shape, ++seed)); }
  ValueId Project(ValueId in, int64_t from = kWidth, int64_t to = kWidth) {
    return Op("MatMul", {in, Weight({from, to})});
  }
  ValueId Norm(ValueId in) {
    return Op("LayerNormalization", {in, Weight({kWidth}), Weight({kWidth})},
              Attr("axis", int64_t{-1}));
  }
  ValueId Take(ValueId in, const std::vector<int64_t>& indices, int64_t axis = 1) {
    return Op("Gather", {in, Ints(indices)}, Attr("axis", axis));
  }
  ValueId TakeOne(ValueId in, int64_t index) {
    return Op("Gather", {in, Constant(*Tensor::Scalar(index))}, Attr("axis", int64_t{1}));
  }

  uint32_t seed = 100;
};

// The graph after this pass alone, and how often it moved a selection.
struct Pulled {
  Graph graph;
  int64_t moves = 0;

  std::vector<std::string_view> ops() const {
    std::vector<std::string_view> names;
    for (const Node& node : graph.nodes) names.push_back(node.op->name);
    return names;
  }
};

// What it computes must be what it was, to the bit.
inline Pulled Pull(const GraphBuilder& b) {
  Graph before = b.graph;
  Status status = InferShapes(before);
  cr_assert(status.ok(), "%s", status.message().c_str());
  Pulled pulled{before};
  const PassOptions options;
  PassContext context{options};
  const Result<int64_t> moves = PullSelection(pulled.graph, context);
  cr_assert(moves.ok(), "%s", moves.status().message().c_str());
  pulled.moves = *moves;
  status = VerifyGraph(pulled.graph);
  cr_assert(status.ok(), "%s", status.message().c_str());
  const std::vector<Value> known = pulled.graph.values;
  status = InferShapes(pulled.graph);
  cr_assert(status.ok(), "%s", status.message().c_str());
  for (const Node& node : pulled.graph.nodes)
    for (const ValueId id : node.outputs)
      cr_expect(known[static_cast<size_t>(id)].shape == pulled.graph.value(id).shape, "%s\n%s",
                pulled.graph.value(id).name.c_str(), Print(pulled.graph).c_str());
  ExpectSame(pulled.graph, before, InputsOf(before));
  return pulled;
}

// Without the obstacle the selection moves; with it, which make(true) builds, it does not.
template <typename Make>
void ExpectBlocked(Make make) {
  cr_expect_gt(Pull(make(false)).moves, 0, "%s", Print(make(false).graph).c_str());
  cr_expect_eq(Pull(make(true)).moves, 0, "%s", Print(Pull(make(true)).graph).c_str());
}

inline void ExpectOps(const GraphBuilder& b, const std::vector<std::string_view>& ops) {
  const Pulled pulled = Pull(b);
  cr_expect(pulled.ops() == ops, "%s", Print(pulled.graph).c_str());
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_PASSES_PULL_H
