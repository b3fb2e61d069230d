// Which kernels a plan chooses for graphs that quantizing makes.
#include <criterion/criterion.h>

#include "engine/plan.h"
#include "passes/pipeline.h"
#include "support/graphs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr float kScale = 1.0f / 64;

}  // namespace

// A token of constants before the words, as vision and keyword transformers have it.
Test(lowering, integers_without_a_scale_of_their_own_are_joined_by_a_copy) {
  GraphBuilder g;
  const auto fake = [&](ValueId x) { return g.FakeQuantize<uint8_t>(x, kScale, 128); };
  const ValueId x = g.Input("x", {4, 6});
  const ValueId words = g.Op("Reshape", {fake(g.Op("Neg", {x})), g.Ints({1, 4, 6})});
  const ValueId token = fake(g.Constant(RandomTensor({1, 1, 6}, 3)));
  const ValueId joined = g.Op("Concat", {token, words}, Attr("axis", int64_t{1}));
  const ValueId places = fake(g.Constant(RandomTensor({1, 5, 6}, 4)));
  g.Output(fake(g.Op("Add", {fake(joined), places})));

  const std::vector<Shape> shapes = {{4, 6}};
  const auto graph = Specialize(g.graph, shapes, {});
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  const auto plan = Plan::Compile(*graph, {});
  cr_assert(plan.ok(), "%s", plan.status().message().c_str());
  const Table steps = (*plan)->Steps();
  bool has_concat = false;
  for (const auto& row : steps.rows) {
    cr_expect_neq(ToText(row[2]), "reference", "%s", ToText(row[3]).c_str());
    has_concat |= ToText(row[1]) == "Concat";
  }
  cr_assert(has_concat, "%s", ToJson(steps).c_str());
}
