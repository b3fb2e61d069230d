// Tests that a model, in float or quantized in any way, is the same after export and import.
#include <memory>

#include "import/load.h"
#include "ir/op.h"
#include "quant/quantize_graph.h"
#include "session/session.h"
#include "support/graphs.h"
#include "support/shared_data.h"
#include "unit/export/written.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const Shape kBatch = {3, 1, 28, 28};

Graph FashionModel() {
  Result<Graph> graph = LoadModel(RepositoryFolder() + "/samples/data/fashion_cnn.onnx", {});
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  return *std::move(graph);
}

Graph Quantized(const std::function<void(LayerScheme&)>& change) {
  const auto graph = std::make_shared<const Graph>(FashionModel());
  SchemeTable schemes;
  schemes.Add("", change);
  auto calibrator = Calibrator::Create(graph, schemes, {});
  cr_assert(calibrator.ok(), "%s", calibrator.status().message().c_str());
  const std::vector<Tensor> batch = {RandomTensor(kBatch, 1, 0, 1)};
  cr_assert((*calibrator)->Feed(batch).ok());
  Result<Graph> quantized = QuantizeGraph(*graph, calibrator->get(), schemes, Hooks());
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  return *std::move(quantized);
}

Tensor Run(Graph graph, const Tensor& x) {
  const auto session =
      Session::Create(std::make_shared<const Graph>(std::move(graph)), {.threads = 1});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  std::vector<Tensor> outputs(1);
  const Status status = (*session)->Run(std::span(&x, 1), outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return outputs[0];
}

// Bit for bit: the same graph makes the same plan.
void ExpectSurvives(const Graph& graph) {
  Graph read = Imported(Exported(graph));
  ExpectEqual(read, graph);
  const Tensor x = RandomTensor(kBatch, 2, 0, 1);
  cr_expect(SameBytes(Run(std::move(read), x), Run(graph, x)));
}

int64_t BytesOfType(const Graph& graph, DType dtype) {
  int64_t bytes = 0;
  for (const Value& value : graph.values)
    if (value.constant && value.dtype == dtype) bytes += value.constant->bytes();
  return bytes;
}

}  // namespace

Test(exported, a_float_model_survives) { ExpectSurvives(FashionModel()); }

Test(exported, a_static_model_per_channel_survives) {
  const Graph graph = Quantized([](LayerScheme&) {});
  cr_expect_gt(CountOps(graph, "QuantizeLinear"), 0);
  ExpectSurvives(graph);
}

Test(exported, a_static_model_per_tensor_survives) {
  ExpectSurvives(Quantized([](LayerScheme& scheme) { scheme.per_channel = false; }));
}

Test(exported, a_static_model_of_other_types_survives) {
  ExpectSurvives(Quantized([](LayerScheme& scheme) {
    scheme.weight_dtype = DType::kU8;
    scheme.activation_dtype = DType::kS8;
    scheme.weight_symmetric = false;
  }));
}

Test(exported, a_dynamic_model_survives) {
  const Graph graph =
      Quantized([](LayerScheme& scheme) { scheme.scheme = Scheme::kDynamicRanges; });
  cr_expect_gt(CountOps(graph, "DynamicQuantizeLinear"), 0);
  ExpectSurvives(graph);
}

Test(exported, a_weight_only_model_in_4_bits_survives) {
  for (const bool symmetric : {true, false}) {
    const DType dtype = symmetric ? DType::kS4 : DType::kU4;
    const Graph graph = Quantized([&](LayerScheme& scheme) {
      scheme.scheme = Scheme::kWeightOnly;
      scheme.weight_dtype = dtype;
      scheme.weight_symmetric = symmetric;
    });
    cr_expect_eq(CountOps(graph, "DequantizeLinear"), 2);
    // Both dense layers, at two weights a byte.
    cr_expect_geq(BytesOfType(graph, dtype), (800 * 128 + 128 * 10) / 2);
    ExpectSurvives(graph);
  }
}

Test(exported, a_model_of_16_bit_floats_survives) {
  const Graph graph = Quantized([](LayerScheme& scheme) { scheme.scheme = Scheme::kFp16; });
  cr_expect_eq(CountOps(graph, "Cast"), 4);
  ExpectSurvives(graph);
}

Test(exported, loading_changes_nothing_more) {
  const Graph graph = Quantized([](LayerScheme&) {});
  Result<Graph> loaded = LoadModelFromMemory(BlobOf(Exported(graph)), {});
  cr_assert(loaded.ok(), "%s", loaded.status().message().c_str());
  ExpectEqual(*loaded, graph);
  cr_expect(loaded->metadata.at("intmill.scheme") == "static");
  cr_expect(Exported(graph) == Exported(Quantized([](LayerScheme&) {})));
}

Test(exported, weights_stay_integers) {
  const Graph graph = Quantized([](LayerScheme&) {});
  const std::string bytes = Exported(graph);
  const Graph read = Imported(bytes);
  // Two convolutions and two dense layers: all but scales and biases.
  cr_expect_gt(BytesOfType(read, DType::kS8), 9 * BytesOfType(read, DType::kF32));
  cr_expect_lt(bytes.size(), Exported(FashionModel()).size() / 3);
}
