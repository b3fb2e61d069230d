// Sensitivity: the same ranking as quantizing layer by layer, from far fewer steps; and the causes.
#include "quant/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quant/cause.h"
#include "quant/quantize_graph.h"
#include "quant/verify.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

constexpr int64_t kChannels = 4;
constexpr int kRows = 24;

// Twelve convolutions, a residual sum and a dense layer; weights of very different precision.
std::shared_ptr<const Graph> Network() {
  GraphMaker g;
  ValueId x = g.Input("x", {kDynamic, kChannels, 6, 6});
  ValueId kept = x;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "conv" + std::to_string(i);
    std::vector<float> w = Normal(kChannels * kChannels, static_cast<unsigned>(i), 0.6f);
    // One large weight: the others of its channel share a coarse scale.
    w[0] *= 1 + 3 * static_cast<float>(i * 5 % 12);
    const ValueId weight = g.Constant(name + "_w", {kChannels, kChannels, 1, 1}, w);
    const ValueId bias = g.Random(name + "_b", {kChannels}, static_cast<unsigned>(i) + 100);
    x = g.Node("Conv", {x, weight, bias}, name);
    x = i % 3 == 2 ? g.Node("LeakyRelu", {x}, name + "_act") : g.Node("Relu", {x}, name + "_act");
    if (i == 5) x = g.Node("Add", {x, kept}, "sum");
    if (i == 2) kept = x;
  }
  x = g.Node("Flatten", {x}, "flat");
  const ValueId w = g.Random("dense_w", {kChannels * 36, 10}, 77);
  g.Output(g.Node("Gemm", {x, w}, "dense"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

Tensor Batch(int64_t rows, unsigned seed) {
  Tensor x = *Tensor::Make(DType::kF32, {rows, kChannels, 6, 6});
  const auto values = Normal(static_cast<int>(x.elements()), seed);
  std::copy(values.begin(), values.end(), x.mutable_data<float>());
  return x;
}

std::unique_ptr<Calibrator> Calibrated(std::shared_ptr<const Graph> graph, const Tensor& x) {
  Result<std::unique_ptr<Calibrator>> made = Calibrator::Create(std::move(graph), {}, {});
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  const Status fed = (*made)->Feed({&x, 1});
  cr_assert(fed.ok(), "%s", fed.message().c_str());
  return *std::move(made);
}

std::unique_ptr<Sensitivity> Make(std::shared_ptr<const Graph> graph, const Calibrator* calibrator,
                                  bool reverse = false, int64_t threads = 1,
                                  const SchemeTable& schemes = {}) {
  SensitivityOptions options;
  options.session.threads = threads;
  options.reverse = reverse;
  Result<std::unique_ptr<Sensitivity>> made =
      Sensitivity::Create(std::move(graph), calibrator, schemes, std::move(options));
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  return *std::move(made);
}

void Feed(Sensitivity& sensitivity, const Tensor& x, const std::vector<int64_t>& targets = {}) {
  const Tensor t = *Tensor::Of(std::span<const int64_t>(targets));
  const Status fed =
      sensitivity.Feed({&x, 1}, targets.empty() ? std::span<const Tensor>() : std::span(&t, 1));
  cr_assert(fed.ok(), "%s", fed.message().c_str());
}

const std::vector<Table::Cell>& RowOf(const Table& table, std::string_view layer) {
  for (const auto& row : table.rows)
    if (std::get<std::string>(row[0]) == layer) return row;
  cr_assert_fail("no row %s", std::string(layer).c_str());
  return table.rows[0];
}

double Number(const Table& table, std::string_view layer, std::string_view column) {
  const auto at = std::find(table.columns.begin(), table.columns.end(), column);
  const auto& cell = RowOf(table, layer)[static_cast<size_t>(at - table.columns.begin())];
  const auto* number = std::get_if<double>(&cell);
  return number != nullptr ? *number : std::nan("");
}

std::string Cause(const Table& table, std::string_view layer) {
  return std::get<std::string>(RowOf(table, layer).back());
}

double Figure(const Table& summary, std::string_view key) {
  for (const auto& row : summary.rows) {
    if (std::get<std::string>(row[0]) != key) continue;
    if (const auto* n = std::get_if<int64_t>(&row[1])) return static_cast<double>(*n);
    return std::get<double>(row[1]);
  }
  return std::nan("");
}

// The output's SQNR when the library quantizes only the layers that `keep` answers true for.
double BruteForce(const std::shared_ptr<const Graph>& graph, const Calibrator& calibrator,
                  const Tensor& x, const std::function<bool(const std::string&)>& keep) {
  SchemeTable schemes;
  for (const Node& node : graph->nodes)
    if (!keep(node.name)) schemes.Add(node.name, [](LayerScheme& s) { s.skip = true; });
  Result<Graph> quantized = QuantizeGraph(*graph, &calibrator, schemes, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  auto verifier = Verifier::Create(graph, std::make_shared<const Graph>(*std::move(quantized)), {});
  cr_assert(verifier.ok(), "%s", verifier.status().message().c_str());
  cr_assert((*verifier)->Feed({&x, 1}, {}).ok());
  return std::get<double>((*verifier)->Outputs().rows[0][2]);
}

std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double v : values)
    ranks.push_back(static_cast<double>(
        std::count_if(values.begin(), values.end(), [&](double other) { return other < v; })));
  return ranks;
}

double Spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = Ranks(a);
  const std::vector<double> y = Ranks(b);
  const double n = static_cast<double>(x.size());
  double d2 = 0;
  for (size_t i = 0; i < x.size(); ++i) d2 += (x[i] - y[i]) * (x[i] - y[i]);
  return 1 - 6 * d2 / (n * (n * n - 1));
}

std::vector<std::string> Products() {
  std::vector<std::string> names = {"dense"};
  for (int i = 0; i < 12; ++i) names.push_back("conv" + std::to_string(i));
  return names;
}

}  // namespace

Test(sensitivity, ranks_layers_as_quantizing_each_alone_does) {
  const auto graph = Network();
  const Tensor x = Batch(kRows, 1);
  const auto calibrator = Calibrated(graph, x);
  const auto sensitivity = Make(graph, calibrator.get());
  Feed(*sensitivity, x);
  const Table table = sensitivity->Layers();
  std::vector<double> found;
  std::vector<double> wanted;
  for (const std::string& layer : Products()) {
    found.push_back(Number(table, layer, "sqnr_db"));
    wanted.push_back(BruteForce(graph, *calibrator, x, [&](const std::string& name) {
      return name == layer || name == layer + "_act";
    }));
    cr_expect_float_eq(found.back(), wanted.back(), 1.0, "%s: %g, brute force %g", layer.c_str(),
                       found.back(), wanted.back());
  }
  cr_assert_geq(Spearman(found, wanted), 0.9);
}

// Most layers win next to nothing back while the worst ones stay, so it is figures that are
// compared. 2 dB: the quantizer also leaves a sum in float when one of its operands comes from a
// float layer.
Test(sensitivity, reverse_finds_what_leaving_each_out_does) {
  const auto graph = Network();
  const Tensor x = Batch(kRows, 1);
  const auto calibrator = Calibrated(graph, x);
  const auto sensitivity = Make(graph, calibrator.get(), true);
  Feed(*sensitivity, x);
  const Table table = sensitivity->Layers();
  std::string best;
  double most = 0;
  for (const std::string& layer : Products()) {
    const double found = Number(table, layer, "sqnr_db");
    const double wanted =
        BruteForce(graph, *calibrator, x, [&](const std::string& name) { return name != layer; });
    cr_expect_float_eq(found, wanted, 2.0, "%s: %g, brute force %g", layer.c_str(), found, wanted);
    if (best.empty() || wanted > most) best = layer;
    most = std::max(most, wanted);
  }
  cr_expect_eq(std::get<std::string>(table.rows[0][0]), best);
  const double whole = BruteForce(graph, *calibrator, x, [](const std::string&) { return true; });
  cr_assert_float_eq(Figure(sensitivity->Summary(), "sqnr_db"), whole, 0.5, "%g, whole %g",
                     Figure(sensitivity->Summary(), "sqnr_db"), whole);
}

Test(sensitivity, runs_fewer_steps_than_the_model_once_a_layer) {
  const auto graph = Network();
  const Tensor x = Batch(2, 1);
  const auto calibrator = Calibrated(graph, x);
  const auto sensitivity = Make(graph, calibrator.get());
  Feed(*sensitivity, x);
  const Table summary = sensitivity->Summary();
  cr_assert_gt(Figure(summary, "steps"), 0);
  cr_assert_leq(Figure(summary, "steps"), 0.55 * Figure(summary, "steps_whole"));
}

Test(sensitivity, threads_and_portions_do_not_show) {
  const auto graph = Network();
  const auto calibrator = Calibrated(graph, Batch(8, 1));
  const auto one = Make(graph, calibrator.get(), false, 1);
  const auto two = Make(graph, calibrator.get(), false, 2);
  for (const auto& s : {one.get(), two.get()}) {
    Feed(*s, Batch(4, 2));
    Feed(*s, Batch(3, 3));
    Feed(*s, Batch(4, 4));
  }
  cr_assert(one->Layers().rows == two->Layers().rows);
  cr_assert_eq(Figure(two->Summary(), "samples"), 11);
}

Test(sensitivity, labels_tell_the_change_of_top1) {
  const auto graph = Network();
  const Tensor x = Batch(kRows, 1);
  const auto calibrator = Calibrated(graph, x);
  const auto sensitivity = Make(graph, calibrator.get());
  std::vector<int64_t> targets(kRows, 3);
  Feed(*sensitivity, x, targets);
  const double top1 = Figure(sensitivity->Summary(), "reference_top1");
  cr_assert(top1 >= 0 && top1 <= 100);
  for (const std::string& layer : Products()) {
    const double change = Number(sensitivity->Layers(), layer, "top1_change");
    cr_expect(change >= -top1 && change <= 100 - top1, "%s: %g", layer.c_str(), change);
  }
}

Test(sensitivity, a_stopped_or_refused_batch_leaves_no_trace) {
  const auto graph = Network();
  const Tensor x = Batch(4, 1);
  const auto calibrator = Calibrated(graph, x);
  SensitivityOptions options;
  int64_t calls = 0;
  options.session.threads = 1;
  options.session.passes.hooks.progress = [&](const char* stage, int64_t, int64_t) {
    return std::string_view(stage) != "sensitivity" || ++calls != 20;
  };
  const auto sensitivity = *Sensitivity::Create(graph, calibrator.get(), {}, std::move(options));
  Feed(*sensitivity, x);
  const Table before = sensitivity->Layers();
  cr_assert_eq(sensitivity->Feed({&x, 1}, {}).code(), Code::kCancelled);
  cr_assert(sensitivity->Layers().rows == before.rows);
  const Tensor wrong = *Tensor::Make(DType::kF32, {1, kChannels + 1, 6, 6});
  cr_assert_eq(sensitivity->Feed({&wrong, 1}, {}).code(), Code::kShape);
  Feed(*sensitivity, x);
  cr_assert_eq(Figure(sensitivity->Summary(), "samples"), 8);
}

Test(sensitivity, says_what_it_needs) {
  const auto graph = Network();
  const auto fresh = *Calibrator::Create(graph, {}, {});
  cr_assert_eq(Sensitivity::Create(graph, fresh.get(), {}, {}).status().code(), Code::kState);
  cr_assert_eq(Sensitivity::Create(graph, nullptr, {}, {}).status().code(), Code::kInvalidArgument);
  SchemeTable none;
  none.Add("", [](LayerScheme& s) { s.skip = true; });
  const auto calibrator = Calibrated(graph, Batch(2, 1));
  cr_assert_eq(Sensitivity::Create(graph, calibrator.get(), none, {}).status().code(),
               Code::kState);
}

Test(sensitivity, dynamic_layers_need_no_calibration) {
  const auto graph = Network();
  SchemeTable dynamic;
  dynamic.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const auto sensitivity = Make(graph, nullptr, false, 1, dynamic);
  Feed(*sensitivity, Batch(4, 1));
  cr_assert_eq(sensitivity->Layers().rows.size(), 1);
  cr_assert_gt(Number(sensitivity->Layers(), "dense", "sqnr_db"), 20);
}

Test(sensitivity, names_the_channel_with_outliers) {
  const auto graph = Network();
  Tensor x = Batch(8, 1);
  for (int64_t n = 0; n < 8; ++n)
    for (int64_t i = 0; i < 36; ++i) x.mutable_data<float>()[(n * kChannels + 2) * 36 + i] *= 50;
  const auto calibrator = Calibrated(graph, x);
  const auto sensitivity = Make(graph, calibrator.get());
  Feed(*sensitivity, x);
  const std::string cause = Cause(sensitivity->Layers(), "conv0");
  cr_assert(cause.starts_with("outliers in channel 2 "), "%s", cause.c_str());
}

Test(sensitivity, names_values_beyond_the_calibrated_range) {
  const auto graph = Network();
  const auto calibrator = Calibrated(graph, Batch(8, 1));
  Tensor large = Batch(8, 2);
  for (int64_t i = 0; i < large.elements(); ++i) large.mutable_data<float>()[i] *= 4;
  const auto sensitivity = Make(graph, calibrator.get());
  Feed(*sensitivity, large);
  const Table table = sensitivity->Layers();
  cr_assert(Cause(table, "conv0").starts_with("saturation: "), "%s", Cause(table, "conv0").c_str());
  cr_assert_gt(Number(table, "conv0", "clipped"), 10);
}

Test(sensitivity, names_a_range_that_is_hardly_used) {
  const auto graph = Network();
  Tensor wide = Batch(8, 1);
  for (int64_t i = 0; i < wide.elements(); ++i) wide.mutable_data<float>()[i] *= 100;
  const auto calibrator = Calibrated(graph, wide);
  const auto sensitivity = Make(graph, calibrator.get());
  Feed(*sensitivity, Batch(8, 2));
  const std::string data = Cause(sensitivity->Layers(), "conv0");
  cr_assert(data.starts_with("wrong preprocessing scale: "), "%s", data.c_str());
  const std::string cause = Cause(sensitivity->Layers(), "conv1");
  cr_assert(cause.starts_with("dead range: "), "%s", cause.c_str());
}

Test(cause, unbalanced_weights_matter_where_they_share_a_scale) {
  const std::vector<float> peaks = {1, 0.9f, 0.02f, 0.03f, 0.5f, 0, 0.01f};
  LayerScheme per_tensor;
  per_tensor.per_channel = false;
  const InputSums none;
  cr_assert(
      LikelyCause({.sums = none}, peaks, per_tensor).starts_with("unbalanced channels: weights"));
  cr_assert_eq(LikelyCause({.sums = none}, peaks, {}), "");
}

Test(cause, channels_that_differ_all_over_have_no_outlier) {
  cr_assert_eq(FindOutlier(std::vector<float>{1, 2, 4, 8, 16, 32, 64}).channel, -1);
  cr_assert_eq(FindOutlier(std::vector<float>{1, 2, 1, 2, 64, 2, 1}).channel, 4);
  cr_assert_eq(FindOutlier(std::vector<float>{1, 64}).channel, -1);
}

Test(cause, an_input_of_zeros_is_dead) {
  InputSums input;
  input.Add(std::vector<float>(20), nullptr, 0, 1);
  cr_assert(LikelyCause({.sums = input}, {}, {}).starts_with("dead range: its input is always 0"));
}

namespace {

void ExpectSumsOfPlainLoop(const std::vector<float>& values, int64_t channels, int64_t inner) {
  const QParams params{.dtype = DType::kU8, .scales = {0.01f}, .zero_points = {100}};
  InputSums sums;
  sums.Add(values, &params, channels, inner);
  int64_t finite = 0;
  int64_t clipped = 0;
  Range range = {INFINITY, -INFINITY};
  std::vector<float> peaks(static_cast<size_t>(channels));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    ++finite;
    if (values[i] < -1.005f || values[i] > 1.555f) ++clipped;
    range = {std::min(range.min, values[i]), std::max(range.max, values[i])};
    float& peak = peaks[i / static_cast<size_t>(inner) % peaks.size()];
    peak = std::max(peak, std::fabs(values[i]));
  }
  cr_expect_eq(sums.count(), finite);
  cr_expect_float_eq(sums.ClippedShare(),
                     100.0 * static_cast<double>(clipped) / static_cast<double>(finite), 1e-9);
  cr_expect_eq(sums.min(), range.min);
  cr_expect_eq(sums.max(), range.max);
  cr_expect(std::ranges::equal(sums.channel_peaks(), peaks));
}

}  // namespace

// Channels and runs that fill no whole vector; with and without values that are no numbers, as
// there is a loop for each.
Test(cause, sums_of_an_input_are_those_of_a_plain_loop) {
  for (const int64_t channels : {1, 5, 16, 37}) {
    for (const int64_t inner : {1, 3, 40}) {
      std::vector<float> values = Normal(static_cast<int>(3 * channels * inner), 7);
      ExpectSumsOfPlainLoop(values, channels, inner);
      values.front() = NAN;
      values.back() = -INFINITY;
      ExpectSumsOfPlainLoop(values, channels, inner);
    }
  }
}
