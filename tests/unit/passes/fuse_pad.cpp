// Tests of fuse_pad.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kExact{};

// x -> Pad -> Conv -> y; the Conv has pads of its own.
Graph PadThenConv(const std::vector<int64_t>& pads, Attributes pad = {}, float fill = 0) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 5, 5});
  const ValueId padded = b.Op("Pad", {x, b.Ints(pads), b.Float(fill)}, std::move(pad));
  b.Output(b.Op("Conv", {padded, b.Constant(RandomTensor({4, 3, 3, 3}, 2))},
                Attr("pads", std::vector<int64_t>{0, 1, 0, 1})));
  return b.graph;
}

void ExpectFused(const Graph& graph, bool is_fused) {
  const Graph fused = Loaded(graph);
  cr_expect_eq(fused.nodes.size(), is_fused ? 1 : 2, "%s", Print(fused).c_str());
  ExpectSame(fused, graph, {RandomTensor({2, 3, 5, 5}, 1)}, kExact);
}

}  // namespace

Test(fuse_pad, zeros_around_the_image_become_pads) {
  ExpectFused(PadThenConv({0, 0, 1, 2, 0, 0, 0, 1}), true);
}

Test(fuse_pad, pads_given_for_some_axes_will_do) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId padded = b.Op("Pad", {x, b.Ints({1, 2}), kNoValue, b.Ints({-1})});
  b.Output(b.Op("Conv", {padded, b.Constant(RandomTensor({4, 3, 3, 3}, 2))}));
  const Graph fused = Loaded(b.graph);
  cr_expect_eq(fused.nodes.size(), 1);
  ExpectSame(fused, b.graph, {RandomTensor({1, 3, 5, 5}, 1)}, kExact);
}

Test(fuse_pad, other_values_stay) {
  ExpectFused(PadThenConv({0, 0, 1, 1, 0, 0, 1, 1}, {}, 1), false);
}

Test(fuse_pad, mirrored_images_stay) {
  ExpectFused(PadThenConv({0, 0, 1, 1, 0, 0, 1, 1}, Attr("mode", std::string("reflect"))), false);
}

Test(fuse_pad, cropping_stays) { ExpectFused(PadThenConv({0, 0, -1, 0, 0, 0, 0, 0}), false); }

Test(fuse_pad, a_pad_that_others_read_stays_for_them) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId padded = b.Op("Pad", {x, b.Ints({0, 0, 1, 1, 0, 0, 1, 1})});
  b.Output(b.Op("Conv", {padded, b.Constant(RandomTensor({4, 3, 3, 3}, 2))}));
  b.Output(b.Op("Relu", {padded}));
  const Graph fused = Loaded(b.graph);
  cr_expect_eq(fused.nodes.size(), 3);
  ExpectSame(fused, b.graph, {RandomTensor({1, 3, 5, 5}, 1)}, kExact);
}

Test(fuse_pad, average_pool_counts_the_zeros) {
  for (const int64_t counted : {0, 1}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {1, 3, 5, 5});
    const ValueId padded = b.Op("Pad", {x, b.Ints({0, 0, 1, 1, 0, 0, 1, 1})});
    b.Output(
        b.Op("AveragePool", {padded},
             With(Attr("kernel_shape", std::vector<int64_t>{3, 3}), "count_include_pad", counted)));
    const Graph fused = Loaded(b.graph);
    cr_expect_eq(fused.nodes.size(), 1);
    ExpectSame(fused, b.graph, {RandomTensor({1, 3, 5, 5}, 1)}, {.relative = 1e-6});
  }
}

Test(fuse_pad, an_average_pool_with_zeros_that_do_not_count_stays) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId padded = b.Op("Pad", {x, b.Ints({0, 0, 1, 1, 0, 0, 1, 1})});
  b.Output(b.Op("AveragePool", {padded},
                With(Attr("kernel_shape", std::vector<int64_t>{3, 3}), "pads",
                     std::vector<int64_t>{1, 1, 1, 1})));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 2);
}

Test(fuse_pad, windows_that_would_lie_in_the_zeros_stay) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId padded = b.Op("Pad", {x, b.Ints({0, 0, 2, 2, 0, 0, 2, 2})});
  b.Output(b.Op("AveragePool", {padded}, Attr("kernel_shape", std::vector<int64_t>{2, 2})));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 2);
}
