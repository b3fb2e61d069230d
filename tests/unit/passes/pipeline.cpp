// Tests of the order of passes, their names, their times, and of fixing input shapes.
#include <algorithm>

#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// y = Relu(x + 0 * 3)
Graph Small() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 4});
  const ValueId c = b.Op("Mul", {b.Float(0), b.Float(3)});
  b.Output(b.Op("Relu", {b.Op("Add", {b.Op("Identity", {x}), c})}));
  return b.graph;
}

PassOptions Without(const std::string& pass) { return {.disabled = {pass}}; }

}  // namespace

Test(pipeline, every_pass_can_be_disabled) {
  const std::vector<Tensor> inputs = {RandomTensor({2, 4}, 1)};
  for (const std::string_view name : PassNames()) {
    const PassOptions options = Without(std::string(name));
    ExpectSame(Loaded(Small(), options), Small(), inputs);
    ExpectSame(Compiled(Small(), inputs, options), Small(), inputs);
    std::vector<PassTime> times;
    Graph graph = Small();
    cr_assert(RunLoadPasses(graph, options, &times).ok());
    cr_expect(std::ranges::find(times, name, &PassTime::name) == times.end());
  }
}

Test(pipeline, an_unknown_pass_is_refused_with_the_known_ones) {
  Graph graph = Small();
  const Status status = RunLoadPasses(graph, Without("fold_constant"));
  cr_expect_eq(status.code(), Code::kInvalidArgument);
  cr_expect(status.message().starts_with(
      "there is no pass 'fold_constant', wanted one of fold_constants, fold_shapes,"));
}

Test(pipeline, times_have_one_row_a_pass) {
  Graph graph = Small();
  std::vector<PassTime> times;
  cr_assert(RunLoadPasses(graph, {}, &times).ok());
  std::vector<std::string_view> names;
  for (const PassTime& time : times) names.push_back(time.name);
  std::ranges::sort(names);
  cr_expect(std::ranges::adjacent_find(names) == names.end());
  const auto folding = std::ranges::find(times, "fold_constants", &PassTime::name);
  cr_assert(folding != times.end());
  cr_expect_eq(folding->changes, 1);
}

Test(pipeline, the_progress_hook_can_stop_it) {
  Graph graph = Small();
  PassOptions options;
  options.hooks.progress = [](const char*, int64_t, int64_t) { return false; };
  cr_expect_eq(RunLoadPasses(graph, options).code(), Code::kCancelled);
}

Test(pipeline, specialize_leaves_the_graph_as_it_was) {
  const Graph graph = Small();
  const std::string before = Print(graph);
  const Shape shapes[] = {{2, 4}};
  cr_assert(Specialize(graph, shapes, {}).ok());
  cr_expect(Print(graph) == before);
}

Test(pipeline, specialize_refuses_shapes_that_do_not_fit) {
  const Shape wrong_dim[] = {{2, 5}};
  cr_expect(Specialize(Small(), wrong_dim, {}).status().message() ==
            "input 'x': found 2x5, wanted ?x4");
  const Shape wrong_rank[] = {{2}};
  cr_expect_eq(Specialize(Small(), wrong_rank, {}).status().code(), Code::kShape);
  cr_expect_eq(Specialize(Small(), {}, {}).status().code(), Code::kInvalidArgument);
}

Test(pipeline, specialize_makes_all_shapes_static) {
  const Graph graph = Compiled(Small(), {RandomTensor({7, 4}, 1)});
  cr_expect(*graph.value(graph.outputs[0]).shape == Shape({7, 4}));
}
