// Tests of fuse_curves.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};  // of 1 + erf(x)

void ExpectOne(GraphBuilder& b, ValueId y, const char* op) {
  b.Output(y);
  const Graph fused = Loaded(b.graph);
  cr_assert_eq(fused.nodes.size(), 1, "%s: %s", op, Print(fused).c_str());
  cr_expect(fused.nodes[0].op == FindOp(op), "%s", op);
  ExpectSame(fused, b.graph, {RandomTensor({2, 3, 5}, 1)}, kRounding);
}

}  // namespace

Test(fuse_curves, a_number_times_its_sigmoid_is_swish_from_either_side) {
  for (const bool sigmoid_first : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {kDynamic, 3, 5});
    const ValueId gate = b.Op("Sigmoid", {x});
    ExpectOne(b, sigmoid_first ? b.Op("Mul", {gate, x}) : b.Op("Mul", {x, gate}), "Swish");
  }
}

Test(fuse_curves, gelu_is_found_however_its_halves_are_placed) {
  for (const int form : {0, 1, 2}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {kDynamic, 3, 5});
    const ValueId scaled =
        form == 2 ? b.Op("Mul", {x, b.Float(0.70710678f)}) : b.Op("Div", {x, b.Float(1.41421356f)});
    const ValueId gate = b.Op("Add", {b.Op("Erf", {scaled}), b.Float(1)});
    const ValueId half = b.Float(0.5f);
    ExpectOne(b,
              form == 0   ? b.Op("Mul", {b.Op("Mul", {x, gate}), half})
              : form == 1 ? b.Op("Mul", {x, b.Op("Mul", {half, gate})})
                          : b.Op("Mul", {b.Op("Mul", {x, half}), gate}),
              "Gelu");
  }
}

Test(fuse_curves, gelu_through_tanh_keeps_its_form) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5});
  const ValueId cube = b.Op("Pow", {x, b.Float(3)});
  const ValueId inner = b.Op("Add", {x, b.Op("Mul", {cube, b.Float(0.044715f)})});
  const ValueId tanh = b.Op("Tanh", {b.Op("Mul", {inner, b.Float(0.7978845608f)})});
  const ValueId gate = b.Op("Mul", {b.Op("Add", {tanh, b.Float(1)}), b.Float(0.5f)});
  b.Output(b.Op("Mul", {x, gate}));
  const Graph fused = Loaded(b.graph);
  cr_assert_eq(fused.nodes.size(), 1);
  const Result<std::string> form = fused.nodes[0].attrs.String("approximate", "none");
  cr_expect(form.ok() && *form == "tanh");
}

Test(fuse_curves, hard_swish_in_pieces_is_found) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5});
  const ValueId gate = b.Op("Clip", {b.Op("Add", {x, b.Float(3)}), b.Float(0), b.Float(6)});
  ExpectOne(b, b.Op("Div", {b.Op("Mul", {x, gate}), b.Float(6)}), "HardSwish");
}

Test(fuse_curves, a_value_that_others_read_stays) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5});
  const ValueId gate = b.Op("Sigmoid", {x});
  b.Output(b.Op("Mul", {x, gate}));
  b.Output(gate);
  cr_expect_eq(Loaded(b.graph).nodes.size(), 2);
}

Test(fuse_curves, other_functions_stay) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5});
  b.Output(b.Op("Mul", {x, b.Op("Tanh", {x})}));
  b.Output(b.Op("Mul", {x, b.Op("Sigmoid", {b.Op("Mul", {x, b.Float(1.702f)})})}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 5);
}

Test(fuse_curves, numbers_that_differ_by_channel_stay) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5});
  const ValueId scaled = b.Op("Mul", {x, b.Constant(RandomTensor({3, 1}, 1))});
  b.Output(b.Op("Mul", {x, b.Op("Sigmoid", {scaled})}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 3);
}
