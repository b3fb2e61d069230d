// Which kernels a plan chooses for graphs that quantizing makes.
#include <criterion/criterion.h>

#include "engine/plan.h"
#include "passes/pipeline.h"
#include "support/graphs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr float kScale = 1.0f / 64;

// The rows of the plan's steps.
Table StepsOf(const Graph& graph, const std::vector<Shape>& shapes) {
  const auto specialized = Specialize(graph, shapes, {});
  cr_assert(specialized.ok(), "%s", specialized.status().message().c_str());
  const auto plan = Plan::Compile(*specialized, {});
  cr_assert(plan.ok(), "%s", plan.status().message().c_str());
  return (*plan)->Steps();
}

// The operator has a step, and no step runs a reference.
void ExpectFast(const Table& steps, const char* op) {
  bool is_there = false;
  for (const auto& row : steps.rows) {
    cr_expect_neq(ToText(row[2]), "reference", "%s", ToText(row[3]).c_str());
    is_there |= ToText(row[1]) == op;
  }
  cr_assert(is_there, "%s", ToJson(steps).c_str());
}

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
  ExpectFast(StepsOf(g.graph, {{4, 6}}), "Concat");
}

// Exporters write the scales that sizes make needless as an empty tensor.
Test(lowering, a_resize_with_empty_scales_has_its_fast_kernel) {
  GraphBuilder g;
  const ValueId empty = g.Constant(TensorOf<float>({0}, {}));
  const ValueId x = g.Input("x", {1, 3, 4, 4});
  g.Output(
      g.Op("Resize", {x, empty, empty, g.Ints({1, 3, 8, 8})}, Attr("mode", std::string("linear"))));
  ExpectFast(StepsOf(g.graph, {{1, 3, 4, 4}}), "Resize");
}

// A product over nothing is zero, and no product kernel is asked for it.
Test(lowering, a_product_with_empty_weights_runs_its_reference) {
  GraphBuilder g;
  const ValueId x = g.Input("x", {2, 0});
  g.Output(g.Op("MatMul", {x, g.Constant(TensorOf<float>({0, 3}, {}))}));
  const Table steps = StepsOf(g.graph, {{2, 0}});
  cr_assert_eq(ToText(steps.rows.at(0)[2]), "reference");
  cr_assert_eq(ToText(steps.rows.at(0)[3]), "it has empty tensors");
}
