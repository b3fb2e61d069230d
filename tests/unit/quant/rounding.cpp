// Learned rounding and clipped weights: moments, the windows they are taken from, and what they
// buy.
#include <numeric>

#include "quant/learn_rounding.h"
#include "quant/moments.h"
#include "quant/patches.h"
#include "quant/round_weights.h"
#include "quant/weight_clip.h"
#include "quant/weights.h"
#include "tensor/quantize.h"
#include "unit/quant/runs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

std::vector<int16_t> Integers(int n, unsigned seed) {
  std::vector<int16_t> values;
  for (const float x : Normal(n, seed, 60.0f))
    values.push_back(static_cast<int16_t>(std::clamp(x, -255.0f, 255.0f)));
  return values;
}

QParams Grid(float scale) {
  return {.dtype = DType::kS8, .axis = -1, .scales = {scale}, .zero_points = {0}};
}

// E[(e x)^2] over the rows, for one output channel.
double MeanSquare(const Tensor& weight, const Tensor& quantized, const std::vector<int16_t>& rows) {
  const Tensor real = *Dequantize(quantized);
  const size_t n = static_cast<size_t>(weight.elements());
  double sum = 0;
  for (size_t r = 0; r < rows.size(); r += n) {
    double error = 0;
    for (size_t i = 0; i < n; ++i)
      error += static_cast<double>(real.data<float>()[i] - weight.data<float>()[i]) * rows[r + i];
    sum += error * error;
  }
  return sum / static_cast<double>(rows.size() / n);
}

}  // namespace

Test(moments, are_the_means_of_products) {
  const std::vector<int16_t> rows = {1, 2, 3, -4, 5, 6};  // three rows of two
  InputMoments moments(1, 2);
  moments.Add(rows);
  const std::vector<float> found = moments.Get(0, false, 0);
  cr_expect_float_eq(found[0], (1 + 9 + 25) / 3.0f, 1e-5f);
  cr_expect_float_eq(found[1], (2 - 12 + 30) / 3.0f, 1e-5f);
  cr_expect_eq(found[1], found[2]);
  const std::vector<float> covariance = moments.Get(0, true, 0);
  cr_expect_float_eq(covariance[1], 20 / 3.0f - 3 * 4 / 3.0f, 1e-5f);
}

Test(moments, do_not_depend_on_order_and_portions) {
  const std::vector<int16_t> rows = Integers(700 * 6, 1);
  InputMoments at_once(2, 3);
  at_once.Add(rows);
  InputMoments parts(2, 3);
  for (const size_t part : {3, 0, 2, 1})
    parts.Add(std::span<const int16_t>(rows).subspan(part * 175 * 6, 175 * 6));
  for (size_t b = 0; b < 2; ++b) cr_expect(at_once.Get(b, true, 0.1) == parts.Get(b, true, 0.1));
}

Test(moments, of_many_weights_come_in_blocks) {
  const InputMoments moments(2, 3 * InputMoments::kMostEntries - 1);
  cr_assert_eq(moments.blocks().size(), 6);
  int64_t entries = 0;
  for (const InputMoments::Block& block : moments.blocks()) {
    cr_expect_leq(block.size, InputMoments::kMostEntries);
    entries += block.size;
  }
  cr_expect_eq(entries, moments.width());
}

Test(round_weights, makes_up_for_one_weight_with_another) {
  // The first two inputs are always equal, and 0.4 + 0.4 is nearer to 1 than to 0 + 0.
  const Tensor pair = Filled({1, 3}, {0.4f, 0.4f, 1.0f});
  InputMoments three(1, 3);
  three.Add(std::vector<int16_t>{3, 3, 1, -7, -7, -2, 100, 100, 0, 0, 0, 5});
  const Tensor rounded =
      Must(RoundByMoments(pair, *Quantize(pair, Grid(1)), 0,
                          {.count = 3, .groups = 1, .is_spatial = false}, three, false));
  cr_expect_eq(rounded.data<int8_t>()[0] + rounded.data<int8_t>()[1], 1);
  cr_expect_eq(rounded.data<int8_t>()[2], 1, "a weight on the grid stays");
}

Test(round_weights, never_does_worse_than_the_nearest_integers) {
  const int64_t n = 40;
  const Tensor weight = NormalTensor({1, n}, 3);
  const Tensor nearest = *Quantize(weight, Grid(0.25f));
  std::vector<int16_t> rows = Integers(300 * static_cast<int>(n), 4);
  for (size_t i = 1; i < rows.size(); i += 2)  // neighbours alike, as channels of a picture are
    rows[i] = static_cast<int16_t>((rows[i] + 3 * rows[i - 1]) / 4);
  InputMoments moments(1, n);
  moments.Add(rows);
  const Tensor rounded = Must(RoundByMoments(
      weight, nearest, 0, {.count = n, .groups = 1, .is_spatial = false}, moments, false));
  const double before = MeanSquare(weight, nearest, rows);
  const double after = MeanSquare(weight, rounded, rows);
  cr_expect_lt(after, before / 2, "found %g, nearest %g", after, before);
  for (int64_t i = 0; i < n; ++i) {
    const float w = weight.data<float>()[i] / 0.25f;
    cr_expect_lt(std::fabs(static_cast<float>(rounded.data<int8_t>()[i]) - w), 1, "up or down");
  }
}

Test(round_weights, needs_moments_of_this_layer) {
  const Tensor weight = NormalTensor({1, 4}, 3);
  const auto rounded =
      RoundByMoments(weight, *Quantize(weight, Grid(0.25f)), 0,
                     {.count = 4, .groups = 1, .is_spatial = false}, InputMoments(1, 3), false);
  cr_expect(!rounded.ok());
}

namespace {

// A convolution with everything that moves its windows.
struct Windows {
  GraphMaker g;
  Tensor x = NormalTensor({2, 4, 7, 6}, 8);
  Windows() {
    const ValueId w = g.Random("w", {6, 2, 3, 2}, 1);
    const ValueId y = g.graph.AddValue("y");
    Node& node = g.graph.AddNode("y", GraphMaker::Op("Conv"), {g.Input("x", x.shape()), w}, {y});
    node.attrs.Set("group", int64_t{2});
    node.attrs.Set("pads", std::vector<int64_t>{1, 0, 2, 1});
    node.attrs.Set("strides", std::vector<int64_t>{2, 1});
    node.attrs.Set("dilations", std::vector<int64_t>{1, 2});
    cr_assert(InferNode(g.graph, node).ok());
    g.Output(y);
  }
  std::vector<int16_t> Rows(const Tensor& tensor, Layout layout) const {
    std::vector<int16_t> rows;
    PatchReader::Of(g.graph, g.graph.nodes[0])
        ->Read(tensor, layout, 2, {.dtype = DType::kS8, .scales = {0.05f}, .zero_points = {3}},
               &rows);
    return rows;
  }
};

}  // namespace

// The sum over all places of all of a convolution's results tells whether each window was read,
// with its weights in their order.
Test(patches, times_weights_are_what_the_convolution_computes) {
  const Windows windows;
  const std::vector<int16_t> rows = windows.Rows(windows.x, Layout::kPlain);
  const Tensor grid =
      *FakeQuantize(windows.x, {.dtype = DType::kS8, .scales = {0.05f}, .zero_points = {3}});
  const std::vector<float> y = RunGraph(windows.g.graph, grid);
  const float* const w =
      windows.g.graph.ConstantOf(windows.g.graph.nodes[0].inputs[1])->data<float>();
  const size_t places = y.size() / 12;  // of one of 2 samples and 6 channels
  cr_assert_eq(rows.size(), places * 2 * 24, "all places, as there are fewer than 64");
  for (const size_t o : {0, 5}) {
    double found = 0;
    for (size_t r = 0; r < rows.size(); r += 24)
      for (size_t i = 0; i < 12; ++i)
        found += 0.05 * rows[r + (o < 3 ? 0 : 12) + i] * static_cast<double>(w[o * 12 + i]);
    double wanted = 0;
    for (size_t n = 0; n < 2; ++n)
      for (size_t p = 0; p < places; ++p)
        wanted += static_cast<double>(y[(n * 6 + o) * places + p]);
    cr_expect_float_eq(found, wanted, 1e-3, "channel %zu: found %g, wanted %g", o, found, wanted);
  }
}

Test(patches, do_not_depend_on_the_layout) {
  const Windows windows;
  Tensor last = *Tensor::Make(DType::kF32, {2, 7, 6, 4});
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 4; ++c)
      for (int64_t p = 0; p < 42; ++p)
        last.mutable_data<float>()[(n * 42 + p) * 4 + c] =
            windows.x.data<float>()[(n * 4 + c) * 42 + p];
  std::vector<int16_t> a = windows.Rows(windows.x, Layout::kPlain);
  std::vector<int16_t> b = windows.Rows(last, Layout::kChannelsLast);
  // The first row differs, as it depends on the order in memory; which rows there are does not.
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  cr_expect(a == b);
}

namespace {

std::unique_ptr<RoundingLearner> Learn(const Graph& graph, const Tensor& x,
                                       const SchemeTable& schemes) {
  auto learner = Must(RoundingLearner::Create(std::make_shared<const Graph>(graph),
                                              *CalibrateOn(graph, x), schemes, {}));
  const Status status = learner->Feed({&x, 1});
  cr_assert(status.ok(), "%s", status.message().c_str());
  return learner;
}

// Two layers whose inputs are strongly correlated: 4 sources behind 24 channels. One huge weight
// leaves the others a coarse grid.
GraphMaker Correlated() {
  GraphMaker g;
  const ValueId a = g.Node("Gemm", {g.Input("x", {64, 4}), g.Random("w1", {4, 24}, 1)}, "a");
  std::vector<float> w2 = Normal(24 * 24, 2, 0.02f);
  w2[0] = 1.0f;
  const ValueId relu = g.Node("Relu", {a}, "relu");
  g.Output(g.Node("Gemm", {relu, g.Constant("w2", {24, 24}, w2)}, "y"));
  return g;
}

}  // namespace

Test(learned_rounding, loses_less_than_rounding_to_nearest) {
  const Graph graph = Correlated().graph;
  const Tensor x = NormalTensor({64, 4}, 5);
  const std::vector<float> wanted = RunGraph(graph, x);
  const double nearest = SqnrDb(wanted, RunGraph(QuantizeOn(graph, x, PerTensor()), x));
  const Graph learned = Must(Learn(graph, x, PerTensor())->Quantize(graph, PerTensor(), {}));
  const double found = SqnrDb(wanted, RunGraph(learned, x));
  cr_expect_gt(found, nearest + 3, "found %g dB, nearest %g dB", found, nearest);
}

Test(learned_rounding, needs_data) {
  const Graph graph = Correlated().graph;
  const auto learner = Must(RoundingLearner::Create(
      std::make_shared<const Graph>(graph), *CalibrateOn(graph, NormalTensor({64, 4}, 5)), {}, {}));
  cr_expect_eq(learner->Quantize(graph, {}, {}).status().code(), Code::kState);
}

Test(learned_rounding, keeps_what_was_proven_of_saturation) {
  const Graph graph = Correlated().graph;
  const Tensor x = NormalTensor({64, 4}, 5);
  SchemeTable schemes;
  schemes.Add("", [](LayerScheme& s) { s.target = Target::kAny; });
  const Graph learned = Must(Learn(graph, x, schemes)->Quantize(graph, schemes, {}));
  cr_expect_eq(learned.metadata.at("intmill.exact"), "any");
}

Test(weight_clip, trades_one_large_weight_for_many_small_ones) {
  std::vector<float> values = Normal(4000, 6, 0.02f);
  values[0] = 0.5f;
  const Tensor weight = Filled({4, 1000}, values);
  QParams q = *ChooseQParams(weight, {.dtype = DType::kS8, .symmetric = true});
  const QParams widest = q;
  cr_assert(ClipByMse(weight, &q).ok());
  cr_expect_lt(q.scales[0], widest.scales[0]);
  const auto error = [&](const QParams& params) {
    const Tensor real = *FakeQuantize(weight, params);
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i)
      sum += std::pow(static_cast<double>(real.data<float>()[i] - values[i]), 2);
    return sum;
  };
  cr_expect_lt(error(q), error(widest));
}

Test(weight_clip, treats_each_channel_by_itself) {
  std::vector<float> values = Normal(8000, 6, 0.02f);
  values[0] = 0.4f;                                      // the first channel has an outlier
  for (size_t i = 4000; i < 8000; ++i) values[i] = 127;  // the second one loses nothing
  values[4000] = 1;
  const Tensor weight = Filled({2, 4000}, values);
  QParams q = *ChooseQParams(weight, {.dtype = DType::kS8, .symmetric = true, .axis = 0});
  const QParams widest = q;
  cr_assert(ClipByMse(weight, &q).ok());
  cr_expect_lt(q.scales[0], widest.scales[0]);
  cr_expect_eq(q.scales[1], widest.scales[1]);
}
