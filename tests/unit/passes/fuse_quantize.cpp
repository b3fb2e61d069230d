// Tests of fuse_quantize.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// Sums of floats in another order may round to the neighbour.
constexpr Tolerance kStep{.absolute = 0.0201};

struct Network {
  bool is_signed = false;
  bool others_read = false;  // the floats: a residual, as behind the attention of BERT
};

Graph Make(const Network& n) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4, 40});
  const ValueId norm =
      b.Op("LayerNormalization",
           {x, b.Constant(RandomTensor({40}, 1)), b.Constant(RandomTensor({40}, 2))},
           Attr("axis", int64_t{-1}));
  const ValueId bytes = n.is_signed ? b.FakeQuantize<int8_t>(norm, 0.02f, -3)
                                    : b.FakeQuantize<uint8_t>(norm, 0.02f, 120);
  b.Output(bytes);
  if (n.others_read) b.Output(b.Op("Add", {norm, x}));
  return b.graph;
}

}  // namespace

Test(fuse_quantize, a_layer_normalization_writes_its_integers) {
  for (const bool is_signed : {false, true}) {
    for (const bool others_read : {false, true}) {
      const Graph graph = Make({.is_signed = is_signed, .others_read = others_read});
      const Graph fused = Compiled(graph, InputsOf(graph));
      cr_expect_eq(CountOps(fused, "QuantizedLayerNormalization"), 1, "%s", Print(fused).c_str());
      cr_expect_eq(CountOps(fused, "QuantizeLinear"), 0, "%s", Print(fused).c_str());
      ExpectSame(fused, graph, InputsOf(graph), kStep);
    }
  }
}

Test(fuse_quantize, it_can_be_disabled) {
  const Graph graph = Make({});
  const Graph plain = Compiled(graph, InputsOf(graph), {.disabled = {"fuse_quantize"}});
  cr_expect_eq(CountOps(plain, "QuantizedLayerNormalization"), 0);
  cr_expect_eq(CountOps(plain, "LayerNormalization"), 1);
}
