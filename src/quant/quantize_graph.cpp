// QuantizeGraph: decide, place, insert, and write down what was done.
#include "quant/quantize_graph.h"

#include <algorithm>
#include <cstdio>

#include "base/glob.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "passes/weighted.h"
#include "quant/insert_qdq.h"
#include "quant/insert_weight_only.h"
#include "quant/layers.h"
#include "quant/saturation.h"
#include "quant/summary.h"

namespace intmill {
namespace {

Status CheckPatterns(const Graph& graph, const SchemeTable& schemes) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  for (const std::string& pattern : schemes.Unmatched(names))
    if (!HasWildcard(pattern))
      return Error(Code::kInvalidArgument, "no layer is named '", pattern, "'");
  return Ok();
}

bool AnyOf(const std::vector<LayerDecision>& layers, LayerKind kind) {
  return std::any_of(layers.begin(), layers.end(),
                     [&](const LayerDecision& layer) { return layer.kind == kind; });
}

std::string CalibrationText(const LayerScheme& scheme) {
  switch (scheme.calibration) {
    case Calibration::kMinMax:
      return "minmax";
    case Calibration::kAverage:
      return "average";
    case Calibration::kPercentile: {
      char text[40];
      std::snprintf(text, sizeof text, "percentile %.9g", scheme.percentile);
      return text;
    }
    case Calibration::kEntropy:
      return "entropy";
    case Calibration::kMse:
      return "mse";
  }
  return "";
}

void WriteMetadata(Graph& graph, const std::vector<LayerDecision>& layers,
                   const SchemeTable& schemes, int64_t samples) {
  const bool is_static = AnyOf(layers, LayerKind::kStatic);
  const bool is_dynamic = AnyOf(layers, LayerKind::kDynamicRanges);
  const bool is_weight_only = AnyOf(layers, LayerKind::kWeightOnly);
  const Scheme common = schemes.For("").scheme;
  graph.metadata["intmill.scheme"] = is_static + is_dynamic + is_weight_only > 1 ? "mixed"
                                     : is_static                                 ? "static"
                                     : is_dynamic                                ? "dynamic"
                                     : is_weight_only && common == Scheme::kFp16 ? "fp16"
                                     : is_weight_only && common == Scheme::kBf16 ? "bf16"
                                     : is_weight_only && common == Scheme::kBf16Compute
                                         ? "bf16_compute"
                                     : is_weight_only ? "weight_only"
                                                      : "float";
  if (is_static) {
    graph.metadata["intmill.calibration"] = CalibrationText(schemes.For(""));
    graph.metadata["intmill.samples"] = std::to_string(samples);
  }
  for (size_t i = 0; i < layers.size(); ++i)
    if (layers[i].kind == LayerKind::kFloat)
      graph.metadata[ReasonKey(graph.nodes[i].name)] = layers[i].reason;
}

void LogFloatLayers(const Graph& graph, const std::vector<LayerDecision>& layers,
                    const Hooks& hooks) {
  for (size_t i = 0; i < layers.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (layers[i].kind == LayerKind::kFloat)
      hooks.Log(LogLevel::kInfo, Cat("layer '", node.name, "' (", node.op->name,
                                     ") stays in float: ", layers[i].reason));
  }
}

// What nobody needs any more and would only make files larger.
void ForgetNorms(Graph& graph) {
  for (Node& node : graph.nodes) {
    node.attrs.Remove(kNormMean);
    node.attrs.Remove(kNormDeviation);
  }
}

}  // namespace

bool IsQuantized(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.op->Has(kQuantize) || node.op->Has(kDequantize);
  });
}

Result<Graph> QuantizeGraph(const Graph& graph, const FindStatistics& find, int64_t samples,
                            const SchemeTable& schemes, const Hooks& hooks,
                            const FindMoments& moments, const FindProducts& products) {
  if (IsQuantized(graph)) return Error(Code::kState, "the model is quantized already");
  TRY(CheckPatterns(graph, schemes));
  Graph out = graph;
  TRY(InferShapes(out));
  const std::vector<LayerDecision> layers = DecideLayers(out, schemes, find);
  if (AnyOf(layers, LayerKind::kStatic) && find == nullptr)
    return Error(Code::kInvalidArgument, "static quantization needs a calibration");
  if (AnyOf(layers, LayerKind::kStatic) && samples == 0)
    return Error(Code::kState, "the calibration has seen no data");
  const WeightOnlyLayers weight_only = FindWeightOnly(out, layers);
  ASSIGN_OR_RETURN(const ValueParams params, PlaceValues(out, layers, find));
  WriteMetadata(out, layers, schemes, samples);
  LogFloatLayers(out, layers, hooks);
  TRY(InsertQdq(out, layers, params, find, hooks, moments));
  TRY(InsertWeightOnly(out, weight_only, products, hooks));
  ForgetNorms(out);
  Prune(out);
  TRY(InferShapes(out));
  if (IsQuantized(out)) RecordExactness(out);
  TRY(VerifyGraph(out));
  return out;
}

Result<Graph> QuantizeGraph(const Graph& graph, const Calibrator* calibrator,
                            const SchemeTable& schemes, const Hooks& hooks) {
  if (calibrator == nullptr) return QuantizeGraph(graph, nullptr, 0, schemes, hooks);
  const FindStatistics find = [&](std::string_view name) { return calibrator->Find(name); };
  const FindProducts products = [&](std::string_view name) {
    return calibrator->FindProductsOf(name);
  };
  return QuantizeGraph(graph, find, calibrator->samples(), schemes, hooks, {}, products);
}

}  // namespace intmill
