// Tests of fuse_batch_norm.
#include "passes/weighted.h"
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};  // weights are rounded once more

struct Norms : GraphBuilder {
  ValueId x = Input("x", {kDynamic, 4, 5, 5});
  ValueId Norm(ValueId in, int64_t channels) {
    return Op(
        "BatchNormalization",
        {in, Constant(RandomTensor({channels}, 11)), Constant(RandomTensor({channels}, 12)),
         Constant(RandomTensor({channels}, 13)), Constant(RandomTensor({channels}, 14, 0.1f, 2))},
        Attr("epsilon", 1e-3f));
  }
};

void ExpectFused(const GraphBuilder& b, const std::vector<Tensor>& inputs, size_t nodes = 1) {
  const Graph fused = Loaded(b.graph);
  cr_expect_eq(fused.nodes.size(), nodes, "%s", Print(fused).c_str());
  ExpectSame(fused, b.graph, inputs, kRounding);
}

const std::vector<Tensor> kImage = {RandomTensor({2, 4, 5, 5}, 1)};

}  // namespace

Test(fuse_batch_norm, a_conv_takes_it_with_and_without_bias) {
  for (const bool has_bias : {false, true}) {
    Norms b;
    std::vector<ValueId> inputs = {b.x, b.Constant(RandomTensor({6, 4, 3, 3}, 2))};
    if (has_bias) inputs.push_back(b.Constant(RandomTensor({6}, 3)));
    b.Output(b.Norm(b.Op("Conv", inputs), 6));
    ExpectFused(b, kImage);
  }
}

Test(fuse_batch_norm, a_conv_in_groups_takes_it) {
  Norms b;
  const ValueId w = b.Constant(RandomTensor({8, 2, 3, 3}, 2));
  b.Output(b.Norm(b.Op("Conv", {b.x, w}, Attr("group", int64_t{2})), 8));
  ExpectFused(b, kImage);
}

Test(fuse_batch_norm, gemm_takes_it_whichever_way_its_weights_lie) {
  for (const int64_t transposed : {0, 1}) {
    Norms b;
    const ValueId x = b.Input("matrix", {kDynamic, 4});
    const Shape shape = transposed != 0 ? Shape{3, 4} : Shape{4, 3};
    const ValueId gemm =
        b.Op("Gemm", {x, b.Constant(RandomTensor(shape, 2))}, Attr("transB", transposed));
    b.Output(b.Norm(gemm, 3));
    ExpectFused(b, {kImage[0], RandomTensor({2, 4}, 5)});
  }
}

Test(fuse_batch_norm, one_after_the_other) {
  Norms b;
  const ValueId conv = b.Op("Conv", {b.x, b.Constant(RandomTensor({6, 4, 3, 3}, 2))});
  b.Output(b.Norm(b.Norm(conv, 6), 6));
  ExpectFused(b, kImage);
}

Test(fuse_batch_norm, without_a_conv_before_it_stays) {
  Norms b;
  b.Output(b.Norm(b.Op("Relu", {b.x}), 4));
  ExpectFused(b, kImage, 2);
}

Test(fuse_batch_norm, a_conv_that_others_read_stays) {
  Norms b;
  const ValueId conv = b.Op("Conv", {b.x, b.Constant(RandomTensor({6, 4, 3, 3}, 2))});
  b.Output(b.Norm(conv, 6));
  b.Output(conv);
  ExpectFused(b, kImage, 2);
}

Test(fuse_batch_norm, leaves_a_note_of_what_channels_are_like) {
  Norms b;
  b.Output(b.Norm(b.Op("Conv", {b.x, b.Constant(RandomTensor({6, 4, 3, 3}, 2))}), 6));
  const Graph fused = Loaded(b.graph);
  const auto means = fused.nodes[0].attrs.Floats(kNormMean, {});
  const Tensor shift = RandomTensor({6}, 12);
  cr_assert(means.ok() && means->size() == 6);
  for (size_t c = 0; c < 6; ++c) cr_expect_eq((*means)[c], shift.data<float>()[c]);
}
