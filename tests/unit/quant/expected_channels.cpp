// What batch normalizations say of channels, and biases corrected by it.
#include "quant/expected_channels.h"

#include "passes/weighted.h"
#include "unit/quant/runs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Conv, with the note of a batch normalization that went into it, Relu, Conv.
GraphMaker Noted() {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", {64, 4, 8, 8}), 4, "a");
  const ValueId relu = g.Node("Relu", {a}, "relu");
  g.Output(g.Conv(relu, 4, "y"));
  return g;
}

// Mean and deviation of each channel of "a" on the data, as training would have found them.
void Note(GraphMaker* g, const Tensor& x) {
  Graph first = g->graph;
  first.outputs = {first.nodes[0].outputs[0]};
  Prune(first);
  const std::vector<float> a = RunGraph(first, x);
  std::vector<float> means(4);
  std::vector<float> deviations(4);
  for (size_t c = 0; c < 4; ++c) {
    double sum = 0;
    double square = 0;
    for (size_t n = 0; n < 64; ++n)
      for (size_t p = 0; p < 64; ++p) {
        const double v = static_cast<double>(a[(n * 4 + c) * 64 + p]);
        sum += v;
        square += v * v;
      }
    means[c] = static_cast<float>(sum / 4096);
    deviations[c] = static_cast<float>(std::sqrt(square / 4096 - sum / 4096 * sum / 4096));
  }
  g->graph.nodes[0].attrs.Set(kNormMean, means);
  g->graph.nodes[0].attrs.Set(kNormDeviation, deviations);
}

SchemeTable Correcting(BiasCorrection how) {
  SchemeTable schemes;
  schemes.Add("", [=](LayerScheme& s) {
    s.per_channel = false;
    s.bias_correction = how;
  });
  return schemes;
}

// Of the model's results, by channel: how far the mean moved.
double MeanShift(const std::vector<float>& wanted, const std::vector<float>& found) {
  double worst = 0;
  for (size_t c = 0; c < 4; ++c) {
    double shift = 0;
    for (size_t n = 0; n < 64; ++n)
      for (size_t p = 0; p < 64; ++p) {
        const size_t i = (n * 4 + c) * 64 + p;
        shift += static_cast<double>(found[i] - wanted[i]) / 4096;
      }
    worst = std::max(worst, std::fabs(shift));
  }
  return worst;
}

}  // namespace

Test(clipped_normal, of_a_relu_has_the_textbook_moments) {
  const Moments made = ClippedNormal({0, 1}, 0, kInfinity);
  cr_expect_float_eq(made.mean, 0.3989423, 1e-6);
  cr_expect_float_eq(made.variance, 0.5 - 0.3989423 * 0.3989423, 1e-6);
}

Test(clipped_normal, between_bounds_on_both_sides_is_symmetric) {
  const Moments made = ClippedNormal({3, 4}, 0, 6);
  cr_expect_float_eq(made.mean, 3, 1e-9);
  cr_expect_lt(made.variance, 4);
}

Test(clipped_normal, without_bounds_stays) {
  const Moments made = ClippedNormal({1.5, 2.5}, -kInfinity, kInfinity);
  cr_expect_float_eq(made.mean, 1.5, 1e-12);
  cr_expect_float_eq(made.variance, 2.5, 1e-9);
}

Test(clipped_normal, of_a_constant_is_clipped) {
  cr_expect_eq(ClippedNormal({7, 0}, 0, 6).mean, 6);
}

Test(expected_channels, follow_from_the_normalization) {
  GraphMaker g = Noted();
  g.graph.nodes[0].attrs.Set(kNormMean, std::vector<float>{0, 10, -10, 1});
  g.graph.nodes[0].attrs.Set(kNormDeviation, std::vector<float>{1, 1, 1, 0});
  const ExpectedChannels expected = ExpectChannels(g.graph);
  const ExpectedChannel& relu = expected.at(g.graph.nodes[1].outputs[0]);
  cr_expect_float_eq(relu.means[0], 0.3989423, 1e-6);
  cr_expect_float_eq(relu.means[1], 10, 1e-6);
  cr_expect_float_eq(relu.means[2], 0, 1e-6);
  cr_expect_float_eq(relu.means[3], 1, 1e-12);
  cr_expect(!expected.contains(g.graph.nodes[2].outputs[0]), "a product without a note");
}

// Per tensor, with one weight that leaves all others a coarse grid: rounding shifts means.
Test(bias_correction, from_batch_norm_comes_close_to_that_from_data) {
  GraphMaker g = Noted();
  for (const size_t layer : {0, 2}) {
    Tensor w = *g.graph.ConstantOf(g.graph.nodes[layer].inputs[1]);
    w.mutable_data<float>()[0] = 30;
  }
  const Tensor x = NormalTensor({64, 4, 8, 8}, 3);
  Note(&g, x);
  const std::vector<float> wanted = RunGraph(g.graph, x);
  const auto shift = [&](BiasCorrection how) {
    const Graph quantized = QuantizeOn(g.graph, x, Correcting(how));
    return MeanShift(wanted, RunGraph(quantized, x));
  };
  const double none = shift(BiasCorrection::kNone);
  const double data = shift(BiasCorrection::kData);
  const double norm = shift(BiasCorrection::kBatchNorm);
  cr_expect_lt(data, none / 2, "data %g, none %g", data, none);
  cr_expect_lt(norm, none / 2, "batch_norm %g, none %g", norm, none);
}

Test(bias_correction, leaves_no_note_in_the_quantized_graph) {
  GraphMaker g = Noted();
  const Tensor x = NormalTensor({64, 4, 8, 8}, 3);
  Note(&g, x);
  const Graph quantized = QuantizeOn(g.graph, x, Correcting(BiasCorrection::kBatchNorm));
  for (const Node& node : quantized.nodes) cr_expect(!node.attrs.Has(kNormMean));
}
