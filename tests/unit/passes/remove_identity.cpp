// Tests of remove_identity.
#include <functional>

#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// x -> op -> Relu -> y, where op does nothing.
void ExpectRemoved(const Shape& shape, const std::function<ValueId(GraphBuilder&, ValueId)>& op) {
  GraphBuilder b;
  const ValueId x = b.Input("x", shape);
  b.Output(b.Op("Relu", {op(b, x)}));
  const Graph cleaned = Loaded(b.graph);
  cr_expect_eq(cleaned.nodes.size(), 1, "%s", Print(cleaned).c_str());
  Shape fixed = shape;
  std::ranges::replace(fixed, kDynamic, 2);
  ExpectSame(cleaned, b.graph, {RandomTensor(fixed, 1)});
}

void ExpectKept(const Shape& shape, const std::function<ValueId(GraphBuilder&, ValueId)>& op) {
  GraphBuilder b;
  const ValueId x = b.Input("x", shape);
  b.Output(b.Op("Relu", {op(b, x)}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 2);
}

}  // namespace

Test(remove_identity, identity_whatever_its_shape) {
  ExpectRemoved({kDynamic, kDynamic},
                [](GraphBuilder& b, ValueId x) { return b.Op("Identity", {x}); });
}

Test(remove_identity, reshape_to_the_same_shape) {
  ExpectRemoved({kDynamic, 4}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Reshape", {x, b.Ints({-1, 4})});
  });
  ExpectKept({2, 4}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Reshape", {x, b.Ints({4, 2})});
  });
}

Test(remove_identity, transpose_that_keeps_the_order) {
  ExpectRemoved({2, 2}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Transpose", {x}, Attr("perm", std::vector<int64_t>{0, 1}));
  });
  ExpectKept({2, 2}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Transpose", {x}, Attr("perm", std::vector<int64_t>{1, 0}));
  });
}

Test(remove_identity, slice_of_everything) {
  ExpectRemoved({kDynamic, 4}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Slice", {x, b.Ints({0}), b.Ints({INT64_MAX})});
  });
  ExpectKept({3, 4}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Slice", {x, b.Ints({-1}), b.Ints({INT64_MIN}), b.Ints({0}), b.Ints({-1})});
  });
}

Test(remove_identity, concat_of_one) {
  ExpectRemoved({2, 4}, [](GraphBuilder& b, ValueId x) {
    return b.Op("Concat", {x}, Attr("axis", int64_t{0}));
  });
}

Test(remove_identity, cast_to_the_same_type) {
  ExpectRemoved(
      {2, 4}, [](GraphBuilder& b, ValueId x) { return b.Op("Cast", {x}, Attr("to", int64_t{1})); });
}

Test(remove_identity, names_of_outputs_stay) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId relu = b.Op("Relu", {x});
  b.Output(b.Op("Identity", {relu}));
  b.Output(b.Op("Neg", {relu}));
  const std::string name = b.graph.value(b.graph.outputs[0]).name;
  const Graph cleaned = Loaded(b.graph);
  cr_expect_eq(cleaned.nodes.size(), 2);
  cr_expect(cleaned.value(cleaned.outputs[0]).name == name);
  ExpectSame(cleaned, b.graph, {RandomTensor({2}, 1)});
}

Test(remove_identity, an_output_that_is_an_input_keeps_its_node) {
  GraphBuilder b;
  b.Output(b.Op("Identity", {b.Input("x", {2})}));
  const Graph cleaned = Loaded(b.graph);
  cr_expect_eq(cleaned.nodes.size(), 1);
  ExpectSame(cleaned, b.graph, {RandomTensor({2}, 1)});
}

Test(remove_identity, two_names_of_one_value_stay_two) {
  GraphBuilder b;
  const ValueId relu = b.Op("Relu", {b.Input("x", {2})});
  b.Output(relu);
  b.Output(b.Op("Identity", {relu}));
  b.Output(b.Op("Identity", {b.graph.outputs[1]}));
  ExpectSame(Loaded(b.graph), b.graph, {RandomTensor({2}, 1)});
}

Test(remove_identity, long_chains_go_at_once) {
  GraphBuilder b;
  ValueId at = b.Input("x", {2});
  for (int64_t i = 0; i < 1000; ++i) at = b.Op("Identity", {at});
  b.Output(b.Op("Relu", {at}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 1);
}
