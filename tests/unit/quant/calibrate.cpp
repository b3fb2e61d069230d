// Calibrator: what it observes, that portions and failures do not show, and the whole way to a
// quantized model.
#include "quant/calibrate.h"

#include "quant/quantize_graph.h"
#include "quant/statistics.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

constexpr int64_t kChannels = 4;

std::shared_ptr<const Graph> ConvReluConv() {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", {kDynamic, kChannels, 8, 8}), kChannels, "a");
  g.Output(g.Conv(g.Node("Relu", {a}, "relu"), kChannels, "y"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

Tensor Batch(int64_t n, unsigned seed) {
  Tensor x = *Tensor::Make(DType::kF32, {n, kChannels, 8, 8});
  for (int64_t i = 0; i < n; ++i) {
    const int64_t size = x.elements() / n;
    const auto sample = Normal(static_cast<int>(size), seed + static_cast<unsigned>(i));
    std::copy(sample.begin(), sample.end(), x.mutable_data<float>() + i * size);
  }
  return x;
}

std::unique_ptr<Calibrator> Make(int64_t threads = 1) {
  SessionOptions options;
  options.threads = threads;
  Result<std::unique_ptr<Calibrator>> made = Calibrator::Create(ConvReluConv(), {}, options);
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  return *std::move(made);
}

void Feed(Calibrator& calibrator, const Tensor& x) {
  const Status status = calibrator.Feed({&x, 1});
  cr_assert(status.ok(), "%s", status.message().c_str());
}

}  // namespace

Test(calibrate, observes_inputs_and_values_that_fusion_hides) {
  const auto calibrator = Make();
  Feed(*calibrator, Batch(2, 1));
  for (const char* name : {"x", "a", "relu", "y"}) {
    cr_assert_not_null(calibrator->Find(name), "%s", name);
    cr_assert_eq(calibrator->Find(name)->count(), 2 * kChannels * 64, "%s", name);
  }
  cr_assert_lt(calibrator->Find("a")->min(), 0);
  cr_assert_eq(calibrator->Find("relu")->min(), 0);
  cr_assert_eq(calibrator->Find("relu")->max(), calibrator->Find("a")->max());
}

Test(calibrate, knows_the_means_of_what_products_read) {
  const auto calibrator = Make();
  const Tensor x = Batch(2, 1);
  Feed(*calibrator, x);
  const std::vector<double> means = calibrator->Find("x")->channel_means();
  cr_assert_eq(means.size(), kChannels);
  double expected = 0;  // channel 1 of both samples
  for (const int64_t n : {0, 1})
    for (int64_t i = 0; i < 64; ++i)
      expected += static_cast<double>(x.data<float>()[(n * kChannels + 1) * 64 + i]);
  cr_assert_float_eq(means[1], expected / 128, 1e-6);
  cr_assert_eq(calibrator->Find("relu")->channel_means().size(), kChannels);
  cr_assert(calibrator->Find("y")->channel_means().empty());
}

Test(calibrate, knows_nothing_before_it_is_fed) {
  const auto calibrator = Make();
  cr_assert_eq(calibrator->samples(), 0);
  cr_assert_null(calibrator->Find("x"));
}

Test(calibrate, batches_and_order_do_not_show) {
  const auto at_once = Make();
  Feed(*at_once, Batch(4, 10));
  const auto in_parts = Make(2);
  Feed(*in_parts, Batch(1, 13));
  Feed(*in_parts, Batch(2, 10));
  Feed(*in_parts, Batch(1, 12));
  cr_assert_eq(at_once->samples(), in_parts->samples());
  cr_assert(*at_once->Find("x") == *in_parts->Find("x"));
  cr_assert(*at_once->Find("a") == *in_parts->Find("a"));
}

Test(calibrate, a_failing_batch_leaves_no_trace) {
  const auto calibrator = Make();
  Feed(*calibrator, Batch(1, 1));
  const ValueStatistics before = *calibrator->Find("x");
  const Tensor wrong = *Tensor::Make(DType::kF32, {1, kChannels + 1, 8, 8});
  cr_assert_not(calibrator->Feed({&wrong, 1}).ok());
  cr_assert_eq(calibrator->samples(), 1);
  cr_assert(*calibrator->Find("x") == before);
}

Test(calibrate, ranges_have_a_row_a_value) {
  const auto calibrator = Make();
  Feed(*calibrator, Batch(3, 1));
  const Table ranges = calibrator->Ranges();
  cr_assert_eq(ranges.rows.size(), 4);
  cr_assert(std::get<std::string>(ranges.rows[0][0]) == "x");
  cr_assert_gt(std::get<double>(ranges.rows[0][3]), 0.0);
  cr_assert_eq(std::get<int64_t>(ranges.rows[0][5]), 3);
}

Test(calibrate, leads_to_a_quantized_model) {
  const auto calibrator = Make();
  Feed(*calibrator, Batch(8, 1));
  const Result<Graph> quantized = QuantizeGraph(calibrator->graph(), calibrator.get(), {}, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  cr_assert(quantized->metadata.at("intmill.samples") == "8");
}

Test(calibrate, an_unfed_calibration_is_refused) {
  const auto calibrator = Make();
  const Result<Graph> quantized = QuantizeGraph(calibrator->graph(), calibrator.get(), {}, {});
  cr_assert_eq(quantized.status().code(), Code::kState);
}

Test(calibrate, a_quantized_model_is_refused) {
  const auto calibrator = Make();
  Feed(*calibrator, Batch(1, 1));
  Result<Graph> quantized = QuantizeGraph(calibrator->graph(), calibrator.get(), {}, {});
  cr_assert(quantized.ok());
  const auto again =
      Calibrator::Create(std::make_shared<const Graph>(*std::move(quantized)), {}, {});
  cr_assert_eq(again.status().code(), Code::kState);
}
