// Replay: values that stay, and reruns of what depends on one of them.
#include <criterion/criterion.h>

#include "base/parallel.h"
#include "engine/replay.h"
#include "passes/pipeline.h"
#include "support/graphs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

ValueId Named(Graph& graph, ValueId id, const std::string& name) {
  graph.value(id).name = name;
  return id;
}

// main: x -> conv -> a -> relu -> b -> conv -> c; c + conv(b) -> out, and the mean of b -> other.
// twin: what may take the place of b, twice as large; `spare` of another shape.
Graph MakeGraph() {
  GraphBuilder g;
  const ValueId x = g.Input("x", {2, 3, 5, 5});
  const auto conv = [&](ValueId in, uint32_t seed) {
    return g.Op("Conv", {in, g.Constant(RandomTensor({3, 3, 1, 1}, seed))});
  };
  const ValueId b = Named(g.graph, g.Op("Relu", {conv(x, 1)}), "b");
  const ValueId twin = Named(g.graph, g.Op("Mul", {b, g.Float(2)}), "twin");
  const ValueId spare = Named(g.graph, g.Op("GlobalAveragePool", {b}), "spare");
  const ValueId c = conv(conv(b, 2), 3);
  const ValueId flat = g.Op("Flatten", {b});
  g.Output(Named(g.graph, g.Op("Add", {c, conv(b, 4)}), "out"));
  g.Output(Named(g.graph, g.Op("Relu", {flat}), "other"));
  g.Output(Named(g.graph, conv(x, 5), "independent"));
  g.Output(twin);
  g.Output(spare);
  return std::move(g.graph);
}

struct Made {
  std::unique_ptr<Replay> replay;
  Tensor x = RandomTensor({2, 3, 5, 5}, 9);
};

Made Make(int64_t workers = 2) {
  Graph graph = MakeGraph();
  const Result<Graph> ready = Specialize(graph, std::vector<Shape>{{2, 3, 5, 5}}, {});
  cr_assert(ready.ok(), "%s", ready.status().message().c_str());
  Graph kept = *ready;
  kept.outputs.resize(3);
  const ThreadScope scope(1);
  const auto plan = Plan::Compile(kept, {.keep_values = true});
  cr_assert(plan.ok(), "%s", plan.status().message().c_str());
  Made made;
  made.replay = *Replay::Create(*plan, workers);
  const void* const inputs[] = {made.x.data<void>()};
  cr_assert(made.replay->Run(inputs).ok());
  return made;
}

// The outputs when everything behind b reads twice as much.
std::vector<Tensor> Wanted(const Tensor& x) {
  Graph graph = MakeGraph();
  const Uses uses = FindUses(graph);
  ValueId b = kNoValue;
  ValueId twin = kNoValue;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].name == "b") b = static_cast<ValueId>(i);
    if (graph.values[i].name == "twin") twin = static_cast<ValueId>(i);
  }
  const int32_t doubler = uses.producer[static_cast<size_t>(twin)];
  ReplaceUses(graph, b, twin);
  graph.nodes[static_cast<size_t>(doubler)].inputs[0] = b;
  const auto outputs = Interpret(graph, {x});
  cr_assert(outputs.ok(), "%s", outputs.status().message().c_str());
  return *outputs;
}

bool Near(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values<float>(), b.values<float>(),
                            [](float x, float y) { return std::abs(x - y) < 1e-4f; });
}

}  // namespace

Test(replay, runs_the_whole_plan) {
  const Made made = Make();
  const auto wanted = *Interpret(MakeGraph(), {made.x});
  for (size_t i = 0; i < 3; ++i) cr_expect(Near(made.replay->outputs()[i], wanted[i]), "%zu", i);
  cr_assert(made.replay->Find("b").has_value());
  cr_assert_not(made.replay->Find("nothing").has_value());
}

Test(replay, a_change_reaches_every_output_behind_it) {
  const Made made = Make();
  const auto change = made.replay->Prepare("b", "twin");
  cr_assert(change.ok(), "%s", change.status().message().c_str());
  const std::vector<Tensor> wanted = Wanted(made.x);
  for (const int64_t worker : {0, 1}) {
    const auto outputs = made.replay->Rerun(**change, worker);
    cr_assert(outputs.ok());
    for (size_t i = 0; i < 3; ++i) cr_expect(Near((*outputs)[i], wanted[i]), "%zu", i);
  }
}

Test(replay, a_rerun_leaves_the_kept_values_alone) {
  const Made made = Make();
  const std::vector<float> before(made.replay->outputs()[0].values<float>().begin(),
                                  made.replay->outputs()[0].values<float>().end());
  const auto change = made.replay->Prepare("b", "twin");
  cr_assert(made.replay->Rerun(**change, 0).ok());
  cr_assert(std::ranges::equal(made.replay->outputs()[0].values<float>(), before));
}

Test(replay, what_does_not_depend_on_the_change_does_not_run) {
  const Made made = Make();
  const auto change = made.replay->Prepare("b", "twin");
  cr_assert_lt((*change)->steps(), made.replay->steps());
  const auto outputs = *made.replay->Rerun(**change, 0);
  cr_assert_eq(outputs[2].data<void>(), made.replay->outputs()[2].data<void>());
  const auto last = made.replay->Prepare("out", "out");
  cr_assert_leq((*last)->steps(), 1);  // which makes the output row-major
}

Test(replay, values_that_cannot_take_each_others_place_are_refused) {
  const Made made = Make();
  cr_assert_eq(made.replay->Prepare("b", "spare").status().code(), Code::kUnsupported);
  cr_assert_eq(made.replay->Prepare("b", "missing").status().code(), Code::kUnsupported);
}
