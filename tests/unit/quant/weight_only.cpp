// Weight-only quantization: blocks, GPTQ on inputs that need it, and whole graphs.
#include "quant/weight_only.h"

#include <cmath>
#include <random>

#include "quant/calibrate.h"
#include "quant/gptq.h"
#include "quant/quantize_graph.h"
#include "tensor/half.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

Tensor Random(Shape shape, unsigned seed, float sigma = 0.5f) {
  Tensor t = *Tensor::Make(DType::kF32, std::move(shape));
  const auto values = Normal(static_cast<int>(t.elements()), seed, sigma);
  std::copy(values.begin(), values.end(), t.mutable_data<float>());
  return t;
}

LayerScheme Scheme4(int64_t group_size = 32) {
  LayerScheme scheme;
  scheme.scheme = Scheme::kWeightOnly;
  scheme.weight_dtype = DType::kS4;
  scheme.group_size = group_size;
  return scheme;
}

// What the integers stand for, by the operator's reference.
Tensor Real(const BlockedWeight& w) {
  Graph graph;
  Tensor scales = w.scales;
  if (scales.dtype() == DType::kF16) {
    scales = *Tensor::Make(DType::kF32, w.scales.shape());
    for (int64_t i = 0; i < scales.elements(); ++i)
      scales.mutable_data<float>()[i] = F16ToFloat(w.scales.data<uint16_t>()[i]);
  }
  std::vector<ValueId> ids = {graph.AddConstant("q", w.values), graph.AddConstant("s", scales)};
  std::vector<const Tensor*> inputs = {&w.values, &scales};
  if (w.zero_points.valid()) {
    ids.push_back(graph.AddConstant("z", w.zero_points));
    inputs.push_back(&w.zero_points);
  }
  Node& node = graph.AddNode("dq", FindOp("DequantizeLinear"), ids, {graph.AddValue("x")});
  node.attrs.Set("axis", w.axis);
  if (w.block > 0) node.attrs.Set("block_size", w.block);
  Result<std::vector<Tensor>> out = EvaluateNode(graph, graph.nodes[0], inputs, INT64_MAX);
  cr_assert(out.ok(), "%s", out.status().message().c_str());
  return out->front();
}

// Rows of inputs that go up and down together: a few directions hold nearly all of them.
std::vector<float> Correlated(int64_t rows, int64_t channels, unsigned seed) {
  constexpr int64_t kDirections = 4;
  const auto mix = Normal(static_cast<int>(kDirections * channels), 99);
  const auto strength = Normal(static_cast<int>(rows * kDirections), seed);
  auto x = Normal(static_cast<int>(rows * channels), seed + 1, 0.05f);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t d = 0; d < kDirections; ++d)
        x[static_cast<size_t>(r * channels + c)] +=
            strength[static_cast<size_t>(r * kDirections + d)] *
            mix[static_cast<size_t>(d * channels + c)];
  return x;
}

// Squared error of x (w - w') over squares of x w, with lines of w along `line_axis`.
double OutputError(const std::vector<float>& x, const Tensor& w, const Tensor& found,
                   bool transposed) {
  const int64_t lines = w.dim(transposed ? 0 : 1);
  const int64_t depth = w.dim(transposed ? 1 : 0);
  double error = 0;
  double whole = 0;
  for (size_t r = 0; r < x.size() / static_cast<size_t>(depth); ++r) {
    for (int64_t n = 0; n < lines; ++n) {
      double wanted = 0;
      double got = 0;
      for (int64_t k = 0; k < depth; ++k) {
        const int64_t at = transposed ? n * depth + k : k * lines + n;
        const double v = double{x[r * static_cast<size_t>(depth) + static_cast<size_t>(k)]};
        wanted += v * double{w.data<float>()[at]};
        got += v * double{found.data<float>()[at]};
      }
      error += (got - wanted) * (got - wanted);
      whole += wanted * wanted;
    }
  }
  return error / whole;
}

}  // namespace

Test(weight_only, blocks_are_within_half_a_step_in_8_bits) {
  for (const int64_t line_axis : {0, 1}) {
    for (const bool symmetric : {true, false}) {
      LayerScheme scheme = Scheme4();
      scheme.weight_dtype = symmetric ? DType::kS8 : DType::kU8;
      scheme.weight_symmetric = symmetric;
      const Tensor w = Random({70, 70}, 3);
      const Result<BlockedWeight> q = QuantizeBlocks(w, line_axis, scheme, nullptr);
      cr_assert(q.ok());
      cr_expect_eq(q->block, 32);
      cr_expect_eq(q->axis, 1 - line_axis);
      cr_expect(q->scales.shape() == (line_axis == 0 ? Shape{70, 3} : Shape{3, 70}));
      cr_expect_eq(q->scales.dtype(), DType::kF16);
      const Tensor real = Real(*q);
      for (int64_t i = 0; i < w.elements(); ++i)
        // Half of a step of at most 3 / 127; f16 rounds a scale by 2^-11, which 127 steps multiply.
        cr_assert_float_eq(real.data<float>()[i], w.data<float>()[i], 0.5 * 3 / 127 * 1.15);
    }
  }
}

Test(weight_only, four_bits_are_packed_and_cut_where_that_is_better) {
  const Tensor w = Random({64, 48}, 4);
  const Result<BlockedWeight> q = QuantizeBlocks(w, 1, Scheme4(), nullptr);
  cr_assert(q.ok());
  cr_expect_eq(q->values.bytes(), 64 * 48 / 2);
  cr_expect(!q->zero_points.valid());
  double error = 0;
  double plain = 0;
  double whole = 0;
  const Tensor real = Real(*q);
  for (int64_t n = 0; n < 48; ++n) {
    for (int64_t b = 0; b < 2; ++b) {
      float largest = 0;
      for (int64_t k = b * 32; k < b * 32 + 32; ++k)
        largest = std::max(largest, std::fabs(w.data<float>()[k * 48 + n]));
      for (int64_t k = b * 32; k < b * 32 + 32; ++k) {
        const float x = w.data<float>()[k * 48 + n];
        error += std::pow(real.data<float>()[k * 48 + n] - x, 2);
        plain += std::pow(std::rint(x / largest * 7) * largest / 7 - x, 2);
        whole += double{x} * double{x};
      }
    }
  }
  cr_expect_lt(error, plain * 0.97);
  cr_expect_lt(error / whole, 0.01);
}

Test(weight_only, a_group_of_the_whole_line_is_one_scale_a_line) {
  const Tensor w = Random({24, 10}, 5);
  const Result<BlockedWeight> q = QuantizeBlocks(w, 1, Scheme4(32), nullptr);
  cr_assert(q.ok());
  cr_expect_eq(q->block, 0);
  cr_expect_eq(q->axis, 1);
  cr_expect(q->scales.shape() == Shape{10});
  cr_expect_eq(q->scales.dtype(), DType::kF32);
}

Test(weight_only, scales_that_f16_does_not_hold_stay_f32) {
  Tensor w = Random({64, 4}, 6);
  w.mutable_data<float>()[0] = 1e7f;
  const Result<BlockedWeight> q = QuantizeBlocks(w, 1, Scheme4(), nullptr);
  cr_assert(q.ok());
  cr_expect_eq(q->scales.dtype(), DType::kF32);
}

// Two inputs that are always equal: only the sum of their weights matters, so the second weight
// takes what the rounding of the first left.
Test(gptq, the_second_of_two_equal_inputs_makes_up_for_the_first) {
  InputProducts products;
  products.Add(std::vector<float>{1, 1, -2, -2}, 2);
  const float w[] = {0.4f, 0.4f};
  const RoundWeight round = [](int64_t, int64_t, double wanted, int32_t* q) {
    *q = static_cast<int32_t>(std::rint(wanted));
    return double{static_cast<float>(*q)};
  };
  const auto q = RoundByGptq(w, 1, 2, products, {.damping = 0.01}, round);
  cr_assert(q.ok());
  cr_expect_eq((*q)[0], 0);
  cr_expect_eq((*q)[1], 1);  // 0.8 in all
}

Test(gptq, correlated_inputs_lose_much_less_than_by_rounding_to_the_nearest) {
  const std::vector<float> seen = Correlated(400, 96, 1);
  const std::vector<float> others = Correlated(200, 96, 1001);
  InputProducts products;
  products.Add(seen, 96);
  for (const bool transposed : {false, true}) {
    for (const bool ordered : {false, true}) {
      const Tensor w = transposed ? Random({40, 96}, 7) : Random({96, 40}, 7);
      LayerScheme scheme = Scheme4();
      const int64_t line_axis = transposed ? 0 : 1;
      const double nearest =
          OutputError(others, w, Real(*QuantizeBlocks(w, line_axis, scheme, nullptr)), transposed);
      scheme.gptq = true;
      scheme.gptq_ordered = ordered;
      const double gptq = OutputError(
          others, w, Real(*QuantizeBlocks(w, line_axis, scheme, &products)), transposed);
      cr_expect_lt(gptq, nearest / 4, "%g, nearest %g", gptq, nearest);
    }
  }
}

Test(gptq, inputs_that_are_all_zero_are_no_obstacle) {
  InputProducts products;
  products.Add(std::vector<float>(64), 32);
  LayerScheme scheme = Scheme4();
  scheme.gptq = true;
  cr_expect(QuantizeBlocks(Random({32, 8}, 8), 1, scheme, &products).ok());
}

Test(gptq, order_and_shares_of_samples_do_not_show) {
  std::vector<std::vector<float>> samples;
  for (unsigned i = 0; i < 6; ++i) samples.push_back(Normal(3 * 40, i));
  InputProducts forwards;
  for (const auto& sample : samples) forwards.Add(sample, 40);
  InputProducts half;
  InputProducts other;
  for (size_t i = samples.size(); i-- > 0;) (i % 2 == 0 ? half : other).Add(samples[i], 40);
  half.Merge(other);
  double wanted = 0;
  for (const auto& sample : samples)
    for (int r = 0; r < 3; ++r)
      wanted += double{sample[static_cast<size_t>(r * 40 + 3)]} *
                double{sample[static_cast<size_t>(r * 40 + 39)]};
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t j = 0; j < 40; ++j) cr_assert_eq(forwards.Get(i, j), half.Get(i, j));
  cr_expect_float_eq(forwards.Get(3, 39), wanted, 1e-5);  // sums within a sample are floats
}

Test(gptq, values_that_are_not_finite_make_products_unusable) {
  InputProducts products;
  products.Add(std::vector<float>{1, NAN}, 2);
  cr_expect(!products.usable());
}

namespace {

// ids -> table -> two products with a curve between them.
std::shared_ptr<const Graph> Network() {
  GraphMaker g;
  const ValueId ids = g.graph.AddValue("ids", DType::kS64, Shape{kDynamic, 6});
  g.graph.inputs.push_back(ids);
  const ValueId x = g.Node("Gather", {g.Random("table", {50, 72}, 1), ids}, "embedding");
  const ValueId h =
      g.Node("Relu", {g.Node("MatMul", {x, g.Random("w1", {72, 40}, 2)}, "up")}, "relu");
  g.Output(g.Node("MatMul", {h, g.Random("w2", {40, 9}, 3)}, "down"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

Tensor Ids(int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  Tensor t = *Tensor::Make(DType::kS64, {n, 6});
  for (int64_t i = 0; i < t.elements(); ++i)
    t.mutable_data<int64_t>()[i] = static_cast<int64_t>(random() % 50);
  return t;
}

SchemeTable Schemes(const std::function<void(LayerScheme&)>& change) {
  SchemeTable schemes;
  schemes.Add("", change);
  return schemes;
}

Tensor RunGraph(const std::shared_ptr<const Graph>& graph, const Tensor& x) {
  const auto session = Session::Create(graph, {.threads = 1});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  std::vector<Tensor> outputs(1);
  const Status status = (*session)->Run(std::span(&x, 1), outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return outputs[0];
}

double Cosine(const Tensor& a, const Tensor& b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (int64_t i = 0; i < a.elements(); ++i) {
    const double x = double{a.data<float>()[i]};
    const double y = double{b.data<float>()[i]};
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

std::string SchemeOf(const Graph& graph, std::string_view layer) {
  const Table table = QuantizationSummary(graph);
  for (const auto& row : table.rows)
    if (std::get<std::string>(row[0]) == layer) return std::get<std::string>(row[2]);
  return "no such layer";
}

}  // namespace

Test(weight_only, a_network_runs_in_all_forms_without_data) {
  const auto graph = Network();
  const Tensor x = Ids(3, 1);
  const Tensor wanted = RunGraph(graph, x);
  struct Form {
    Scheme scheme;
    DType dtype;
    bool symmetric;
    double cosine;
    const char* name;
  };
  const Form forms[] = {{Scheme::kWeightOnly, DType::kS8, true, 0.9999, "weight_only"},
                        {Scheme::kWeightOnly, DType::kU8, false, 0.9999, "weight_only"},
                        {Scheme::kWeightOnly, DType::kS4, true, 0.98, "weight_only"},
                        {Scheme::kWeightOnly, DType::kU4, false, 0.98, "weight_only"},
                        {Scheme::kFp16, DType::kS8, true, 0.9999999, "fp16"},
                        {Scheme::kBf16, DType::kS8, true, 0.9999, "bf16"}};
  for (const Form& form : forms) {
    const Result<Graph> q = QuantizeGraph(*graph, nullptr, Schemes([&](LayerScheme& s) {
      s.scheme = form.scheme;
      s.weight_dtype = form.dtype;
      s.weight_symmetric = form.symmetric;
    }),
                                          Hooks());
    cr_assert(q.ok(), "%s", q.status().message().c_str());
    for (const char* layer : {"embedding", "up", "down"}) {
      const std::string found = SchemeOf(*q, layer);
      cr_expect(found == form.name, "%s: %s", layer, found.c_str());
    }
    const double cosine = Cosine(RunGraph(std::make_shared<const Graph>(*q), x), wanted);
    cr_expect_gt(cosine, form.cosine, "%s %s: %.9f", form.name, DTypeName(form.dtype), cosine);
  }
}

Test(weight_only, gptq_needs_a_calibration_that_knows_of_it) {
  const auto graph = Network();
  const SchemeTable with = Schemes([](LayerScheme& s) {
    s = Scheme4();
    s.gptq = true;
  });
  const Tensor seen = Ids(40, 2);
  auto knows = Calibrator::Create(graph, with, {});
  cr_assert(knows.ok() && (*knows)->Feed(std::span(&seen, 1)).ok());
  cr_expect(QuantizeGraph(*graph, knows->get(), with, Hooks()).ok());

  auto ignorant = Calibrator::Create(graph, {}, {});
  cr_assert(ignorant.ok() && (*ignorant)->Feed(std::span(&seen, 1)).ok());
  for (const Calibrator* calibrator :
       {static_cast<const Calibrator*>(nullptr), static_cast<const Calibrator*>(ignorant->get())}) {
    const Result<Graph> q = QuantizeGraph(*graph, calibrator, with, Hooks());
    cr_assert(!q.ok());
    cr_expect_eq(q.status().code(), Code::kInvalidArgument);
    cr_expect_neq(q.status().message().find("node 'up' (MatMul): GPTQ needs data"),
                  std::string::npos, "%s", q.status().message().c_str());
  }
}

Test(weight_only, what_cannot_be_done_is_said) {
  GraphMaker g;
  const ValueId x = g.Conv(g.Input("x", {1, 4, 8, 8}), 4, "conv");
  g.Output(x);
  const Result<Graph> q =
      QuantizeGraph(g.graph, nullptr, Schemes([](LayerScheme& s) { s = Scheme4(); }), Hooks());
  cr_assert(q.ok());
  cr_expect(SchemeOf(*q, "conv") == "float");
  const Result<Graph> eight = QuantizeGraph(g.graph, nullptr, Schemes([](LayerScheme& s) {
                                              s.scheme = Scheme::kDynamicRanges;
                                              s.weight_dtype = DType::kS4;
                                            }),
                                            Hooks());
  cr_assert(eight.ok());
  cr_expect(SchemeOf(*eight, "conv") == "float");
}
