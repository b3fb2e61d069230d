// Scales and zero points of values: groups that share them, fixed ones, and missing statistics.
#include "quant/placement.h"

#include <map>

#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

// Statistics by hand: each value has seen its two ends.
struct Seen {
  std::map<std::string, ValueStatistics, std::less<>> statistics;

  void Set(std::string name, float low, float high) {
    statistics[std::move(name)].Add(std::vector<float>{low, high});
  }
  void SetAll(const Graph& graph) {
    for (const ValueId id : ObservableValues(graph)) Set(graph.value(id).name, -1.0f, 1.0f);
  }
  FindStatistics Finder() const {
    return [this](std::string_view name) {
      const auto found = statistics.find(name);
      return found == statistics.end() ? nullptr : &found->second;
    };
  }
};

SchemeTable MinMax() {
  SchemeTable schemes;
  schemes.Add("", [](LayerScheme& s) { s.calibration = Calibration::kMinMax; });
  return schemes;
}

ValueParams Place(const GraphMaker& g, const Seen& seen, const SchemeTable& schemes = MinMax()) {
  Result<ValueParams> params = PlaceValues(g.graph, DecideLayers(g.graph, schemes), seen.Finder());
  cr_assert(params.ok(), "%s", params.status().message().c_str());
  return *std::move(params);
}

const QParams& Of(const ValueParams& params, ValueId id) {
  cr_assert(params.bytes[static_cast<size_t>(id)].has_value(), "value %d has no parameters", id);
  return *params.bytes[static_cast<size_t>(id)];
}

constexpr int64_t kChannels = 4;
const Shape kImage = {1, kChannels, 8, 8};

}  // namespace

Test(placement, a_value_gets_the_scale_of_its_range) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId y = g.Conv(x, kChannels, "y");
  g.Output(y);
  Seen seen;
  seen.SetAll(g.graph);
  seen.Set("x", 0.0f, 4.1f);
  const ValueParams params = Place(g, seen);
  cr_assert_float_eq(Of(params, x).scales[0], 5.1f / 255, 1e-7f);
  cr_assert_eq(Of(params, x).zero_points[0], 50);
  cr_assert_eq(Of(params, x).dtype, DType::kU8);
}

Test(placement, nothing_stands_before_a_fused_activation) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "conv");
  const ValueId b = g.Node("Relu", {a}, "relu");
  g.Output(g.Conv(b, kChannels, "next"));
  Seen seen;
  seen.SetAll(g.graph);
  const ValueParams params = Place(g, seen);
  cr_assert_not(params.bytes[static_cast<size_t>(a)].has_value());
  cr_assert(params.bytes[static_cast<size_t>(b)].has_value());
}

Test(placement, max_pool_keeps_the_scale) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId pool = g.graph.AddValue("pool", DType::kF32, kImage);
  Node& node = g.graph.AddNode("pool", GraphMaker::Op("MaxPool"), {a}, {pool});
  node.attrs.Set("kernel_shape", std::vector<int64_t>{1, 1});
  g.Output(g.Conv(pool, kChannels, "b"));
  Seen seen;
  seen.SetAll(g.graph);
  seen.Set("a", -1.0f, 3.0f);
  const ValueParams params = Place(g, seen);
  cr_assert(Of(params, a) == Of(params, pool));
  cr_assert_float_eq(Of(params, pool).scales[0], 4.0f / 255, 1e-7f);
}

Test(placement, concat_merges_the_ranges_of_its_inputs) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId a = g.Conv(x, kChannels, "a");
  const ValueId b = g.Conv(x, kChannels, "b");
  const ValueId both = g.graph.AddValue("both", DType::kF32, Shape{1, 2 * kChannels, 8, 8});
  g.graph.AddNode("both", GraphMaker::Op("Concat"), {a, b}, {both}).attrs.Set("axis", int64_t{1});
  g.Output(g.Conv(both, 2 * kChannels, "next"));
  Seen seen;
  seen.SetAll(g.graph);
  seen.Set("a", -2.0f, 1.0f);
  seen.Set("b", 0.0f, 3.0f);
  const ValueParams params = Place(g, seen);
  cr_assert(Of(params, a) == Of(params, b));
  cr_assert(Of(params, a) == Of(params, both));
  cr_assert_float_eq(Of(params, a).scales[0], 5.0f / 255, 1e-7f);
}

Test(placement, sigmoid_has_fixed_parameters) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId sigmoid = g.Node("Sigmoid", {a}, "sigmoid");
  g.Output(g.Conv(g.Node("Mul", {a, sigmoid}, "mul"), kChannels, "next"));
  Seen seen;
  seen.SetAll(g.graph);
  seen.statistics["sigmoid"] = ValueStatistics();
  seen.Set("sigmoid", 0.3f, 0.7f);
  const ValueParams params = Place(g, seen);
  cr_assert_eq(Of(params, sigmoid).scales[0], 1.0f / 256);
  cr_assert_eq(Of(params, sigmoid).zero_points[0], 0);
}

Test(placement, constants_read_like_activations_are_covered) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId c = g.Constant("c", {1}, {-2.55f});
  g.Output(g.Conv(g.Node("Add", {a, c}, "sum"), kChannels, "next"));
  Seen seen;
  seen.SetAll(g.graph);
  const ValueParams params = Place(g, seen);
  cr_assert_float_eq(Of(params, c).scales[0], 0.01f, 1e-8f);
  cr_assert_eq(Of(params, c).zero_points[0], 255);
}

Test(placement, symmetric_s8_has_zero_point_0) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  g.Output(g.Conv(x, kChannels, "y"));
  Seen seen;
  seen.SetAll(g.graph);
  SchemeTable schemes = MinMax();
  schemes.Add("", [](LayerScheme& s) {
    s.activation_dtype = DType::kS8;
    s.activation_symmetric = true;
  });
  const ValueParams params = Place(g, seen, schemes);
  cr_assert_eq(Of(params, x).dtype, DType::kS8);
  cr_assert_eq(Of(params, x).zero_points[0], 0);
}

Test(placement, a_value_without_statistics_is_named) {
  GraphMaker g;
  g.Output(g.Conv(g.Input("x", kImage), kChannels, "y"));
  const auto layers = DecideLayers(g.graph, {});
  const Result<ValueParams> params =
      PlaceValues(g.graph, layers, [](std::string_view) { return nullptr; });
  cr_assert_eq(params.status().code(), Code::kInvalidArgument);
  cr_assert(params.status().message().find("'x'") != std::string::npos, "%s",
            params.status().message().c_str());
}

Test(placement, keys_and_values_have_no_zero_point_and_scores_and_weights_stay_real) {
  GraphMaker g;
  const ValueId x = g.Input("x", {1, 2, 8, 8});
  const ValueId q = g.Node("MatMul", {x, g.Random("w1", {8, 8}, 1)}, "q");
  const ValueId k = g.Node("MatMul", {x, g.Random("w2", {8, 8}, 2)}, "k");
  const ValueId v = g.Node("MatMul", {x, g.Random("w3", {8, 8}, 3)}, "v");
  const ValueId scores = g.Node("MatMul", {q, k}, "scores");
  const ValueId weights = g.Node("Softmax", {scores}, "weights");
  g.Output(g.Node("MatMul", {weights, v}, "seen"));
  Seen seen;
  seen.SetAll(g.graph);
  for (const char* name : {"q", "k", "v"}) seen.Set(name, -1.0f, 2.0f);
  const ValueParams params = Place(g, seen);
  cr_expect(Of(params, q).dtype == DType::kU8);
  cr_expect_neq(Of(params, q).zero_points[0], 0);
  for (const ValueId id : {k, v}) {
    cr_expect(Of(params, id).dtype == DType::kS8);
    cr_expect_eq(Of(params, id).zero_points[0], 0);
  }
  for (const ValueId id : {scores, weights})
    cr_expect(!params.bytes[static_cast<size_t>(id)].has_value());
}
