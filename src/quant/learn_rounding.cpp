// RoundingLearner: a session with taps on what static products read.
#include "quant/learn_rounding.h"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "quant/layers.h"
#include "quant/patches.h"
#include "quant/placement.h"
#include "quant/quantize_graph.h"

namespace intmill {
namespace {

struct Product {
  std::string layer;
  PatchReader patches;
  QParams q;  // of what it reads
  InputMoments moments;
};

// By the name of the value that they read.
using Products = std::multimap<std::string, Product, std::less<>>;

Result<Products> RoundedProducts(const Graph& graph, const SchemeTable& schemes,
                                 const FindStatistics& find) {
  Graph inferred = graph;
  TRY(InferShapes(inferred));
  const std::vector<LayerDecision> layers = DecideLayers(inferred, schemes, find);
  ASSIGN_OR_RETURN(const ValueParams params, PlaceValues(inferred, layers, find));
  Products products;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Node& node = inferred.nodes[i];
    // Moments are of 8-bit integers.
    if (layers[i].kind != LayerKind::kStatic || layers[i].reads_int16() ||
        !HasConstantWeight(inferred, node))
      continue;
    const std::optional<QParams>& q = params.bytes[static_cast<size_t>(node.inputs[0])];
    const std::optional<PatchReader> patches = PatchReader::Of(inferred, node);
    if (!q || !patches) continue;
    products.emplace(
        inferred.value(node.inputs[0]).name,
        Product{node.name, *patches, *q, InputMoments(patches->groups(), patches->entries())});
  }
  return products;
}

}  // namespace

struct RoundingLearner::Impl {
  std::shared_ptr<const Graph> graph;
  std::unique_ptr<Calibrator> calibrator;
  std::shared_ptr<const Session> session;
  mutable std::mutex mutex;  // of the moments and the number of samples
  Products products;
  int64_t samples = 0;

  const InputMoments* Find(std::string_view layer) const {
    for (const auto& [value, product] : products)
      if (product.layer == layer) return &product.moments;
    return nullptr;
  }
};

RoundingLearner::RoundingLearner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RoundingLearner::~RoundingLearner() = default;

Result<std::unique_ptr<RoundingLearner>> RoundingLearner::Create(std::shared_ptr<const Graph> graph,
                                                                 const Calibrator& calibrator,
                                                                 const SchemeTable& schemes,
                                                                 SessionOptions options) {
  if (IsQuantized(*graph)) return Error(Code::kState, "the model is quantized already");
  if (calibrator.samples() == 0) return Error(Code::kState, "the calibration has seen no data");
  auto impl = std::make_unique<Impl>();
  impl->graph = graph;
  ASSIGN_OR_RETURN(impl->calibrator, Calibrator::FromStatistics(calibrator.Statistics(), schemes));
  const FindStatistics find = [&](std::string_view name) { return impl->calibrator->Find(name); };
  ASSIGN_OR_RETURN(impl->products, RoundedProducts(*graph, schemes, find));
  if (impl->products.empty())
    return Error(Code::kState, "no layer has weights whose rounding could be learned");
  KeepValues(&options);
  ASSIGN_OR_RETURN(impl->session, Session::Create(graph, std::move(options)));
  return std::make_unique<RoundingLearner>(std::move(impl));
}

Status RoundingLearner::Feed(std::span<const Tensor> inputs) {
  const int64_t samples = inputs.empty() || inputs[0].rank() == 0 ? 1 : inputs[0].dim(0);
  std::map<const Product*, std::vector<int16_t>> rows;
  const Tap tap = [&](const std::string& name, const Tensor& tensor, Layout layout) {
    if (tensor.dtype() != DType::kF32) return Ok();
    const auto [begin, end] = impl_->products.equal_range(name);
    for (auto i = begin; i != end; ++i)
      i->second.patches.Read(tensor, layout, samples, i->second.q, &rows[&i->second]);
    return Ok();
  };
  std::vector<Tensor> outputs(impl_->graph->outputs.size());
  TRY(impl_->session->Run(inputs, outputs, tap));

  const std::lock_guard lock(impl_->mutex);
  for (auto& [value, product] : impl_->products)
    if (const auto found = rows.find(&product); found != rows.end())
      product.moments.Add(found->second);
  impl_->samples += samples;
  return Ok();
}

Result<Graph> RoundingLearner::Quantize(const Graph& graph, const SchemeTable& schemes,
                                        const Hooks& hooks) const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->samples == 0) return Error(Code::kState, "no rounding was learned: nothing was fed");
  const FindStatistics find = [&](std::string_view name) { return impl_->calibrator->Find(name); };
  const FindMoments moments = [&](std::string_view layer) { return impl_->Find(layer); };
  return QuantizeGraph(graph, find, impl_->calibrator->samples(), schemes, hooks, moments);
}

Table RoundingLearner::Summary() const {
  const std::lock_guard lock(impl_->mutex);
  int64_t rows = 0;
  for (const auto& [value, product] : impl_->products) rows += product.moments.rows();
  Table table;
  table.columns = {"key", "value"};
  table.Add({"samples", impl_->samples});
  table.Add({"layers", static_cast<int64_t>(impl_->products.size())});
  table.Add({"rows", rows});
  return table;
}

}  // namespace intmill
