// Calibrator: a session with taps on every value that quantization may ask about.
#include "quant/calibrate.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ir/digest.h"
#include "ir/op.h"
#include "quant/bias_shift.h"
#include "quant/insert_weight_only.h"
#include "quant/layers.h"
#include "quant/observers/observer.h"
#include "quant/quantize_graph.h"
#include "quant/statistics.h"

namespace intmill {
namespace {

int64_t FirstDimension(std::span<const Tensor> inputs) {
  return inputs.empty() || inputs[0].rank() == 0 ? 1 : inputs[0].dim(0);
}

// Of the values that products read.
std::map<std::string, InputChannels, std::less<>> FindChannels(const Graph& graph) {
  std::map<std::string, InputChannels, std::less<>> channels;
  for (const Node& node : graph.nodes) {
    if (!HasConstantWeight(graph, node) || !IsActivation(graph, node.inputs[0])) continue;
    channels[graph.value(node.inputs[0]).name] =
        InputChannelsOf(node, *graph.ConstantOf(node.inputs[1]));
  }
  return channels;
}

void Observe(const Tensor& tensor, Layout layout, int64_t samples, const InputChannels& channels,
             ValueStatistics* statistics) {
  const bool has_samples = tensor.rank() > 0 && tensor.dim(0) == samples;
  const int64_t parts = has_samples ? samples : 1;
  statistics->Add(tensor.values<float>(), parts);
  if (channels.count == 0) return;
  int64_t inner = 1;
  if (channels.is_spatial && layout == Layout::kPlain)
    for (int64_t i = 2; i < tensor.rank(); ++i) inner *= tensor.dim(i);
  statistics->AddChannels(tensor.values<float>(), parts, channels.count, inner);
}

// Inputs of the layers that GPTQ rounds, by the number of their channels.
std::map<std::string, int64_t, std::less<>> FindGptqInputs(const Graph& graph,
                                                           const SchemeTable& schemes) {
  std::map<std::string, int64_t, std::less<>> inputs;
  for (const Node& node : graph.nodes) {
    const LayerScheme scheme = schemes.For(node.name);
    if (scheme.scheme != Scheme::kWeightOnly || !scheme.gptq || scheme.skip) continue;
    const ValueId input = GptqInput(graph, node);
    if (input == kNoValue) continue;
    const std::optional<WeightMatrix> matrix = WeightMatrixOf(graph, node);
    inputs[graph.value(input).name] = graph.ConstantOf(node.inputs[1])->dim(1 - matrix->line_axis);
  }
  return inputs;
}

// Sample by sample, so that batches do not show.
void AddProducts(const Tensor& tensor, int64_t samples, int64_t channels, InputProducts* products) {
  const bool has_samples = samples > 0 && tensor.rank() > 1 && tensor.dim(0) == samples;
  const auto parts = static_cast<size_t>(has_samples ? samples : 1);
  const std::span<const float> values = tensor.values<float>();
  for (size_t i = 0; i < parts; ++i)
    products->Add(values.subspan(values.size() / parts * i, values.size() / parts), channels);
}

}  // namespace

void KeepValues(SessionOptions* options) {
  // A value that a rewrite does away with is never computed, and so could not be observed.
  for (const std::string_view pass : PassNames())
    if (pass != "fold_shapes" && pass != "fold_constants" && pass != "prune")
      options->passes.disabled.emplace_back(pass);
  // oneDNN sums floats in an order that depends on the number of threads, and the same data must
  // give the same file on every machine.
  options->threads = 1;
}

struct Calibrator::Impl {
  std::shared_ptr<const Graph> graph;  // null: made from statistics
  SchemeTable schemes;
  std::shared_ptr<const Session> session;
  std::vector<std::string> observed;  // in the graph's order
  std::map<std::string, InputChannels, std::less<>> channels;
  std::map<std::string, int64_t, std::less<>> gptq_inputs;
  std::map<std::string, InputProducts, std::less<>> products;
  mutable std::mutex mutex;  // of the statistics and products
  StatisticsSet set;         // its model is filled in when somebody asks

  // Locked. Weights are read once, and only when somebody asks.
  StatisticsSet& Named() {
    if (set.model.empty()) set.model = DigestOf(*graph);
    return set;
  }
};

Calibrator::Calibrator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Calibrator::~Calibrator() = default;

Result<std::unique_ptr<Calibrator>> Calibrator::Create(std::shared_ptr<const Graph> graph,
                                                       SchemeTable schemes,
                                                       SessionOptions options) {
  if (IsQuantized(*graph)) return Error(Code::kState, "the model is quantized already");
  auto impl = std::make_unique<Impl>();
  impl->graph = graph;
  impl->schemes = std::move(schemes);
  impl->channels = FindChannels(*graph);
  impl->gptq_inputs = FindGptqInputs(*graph, impl->schemes);
  for (const ValueId id : ObservableValues(*graph)) {
    impl->observed.push_back(graph->value(id).name);
    impl->set.values[graph->value(id).name];
  }
  KeepValues(&options);
  ASSIGN_OR_RETURN(impl->session, Session::Create(graph, std::move(options)));
  return std::make_unique<Calibrator>(std::move(impl));
}

Result<std::unique_ptr<Calibrator>> Calibrator::FromStatistics(StatisticsSet set,
                                                               SchemeTable schemes) {
  auto impl = std::make_unique<Impl>();
  impl->schemes = std::move(schemes);
  for (const auto& [name, statistics] : set.values) impl->observed.push_back(name);
  impl->set = std::move(set);
  return std::make_unique<Calibrator>(std::move(impl));
}

Status Calibrator::Feed(std::span<const Tensor> inputs) {
  if (impl_->session == nullptr)
    return Error(Code::kState, "a calibration loaded from a file cannot be fed");
  const int64_t samples = FirstDimension(inputs);
  std::map<std::string, ValueStatistics> batch;
  std::map<std::string, InputProducts> products;
  const Tap tap = [&](const std::string& name, const Tensor& tensor, Layout layout) {
    if (tensor.dtype() != DType::kF32 || !impl_->set.values.contains(name)) return Ok();
    const auto read = impl_->channels.find(name);
    Observe(tensor, layout, samples, read == impl_->channels.end() ? InputChannels{} : read->second,
            &batch[name]);
    if (const auto gptq = impl_->gptq_inputs.find(name); gptq != impl_->gptq_inputs.end())
      // Channels that do not lie last cannot be used, which 0 of them say.
      AddProducts(tensor, samples, layout == Layout::kPlain || tensor.rank() < 3 ? gptq->second : 0,
                  &products[name]);
    return Ok();
  };
  std::vector<Tensor> outputs(impl_->graph->outputs.size());
  TRY(impl_->session->Run(inputs, outputs, tap));

  const std::lock_guard lock(impl_->mutex);
  for (const auto& [name, statistics] : batch) impl_->set.values[name].Merge(statistics);
  for (const auto& [name, added] : products) impl_->products[name].Merge(added);
  impl_->set.samples += samples;
  return Ok();
}

int64_t Calibrator::samples() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->set.samples;
}
const Graph& Calibrator::graph() const { return *impl_->graph; }

const ValueStatistics* Calibrator::Find(std::string_view value_name) const {
  const auto found = impl_->set.values.find(value_name);
  const bool known = found != impl_->set.values.end() && impl_->set.samples > 0;
  return known ? &found->second : nullptr;
}

const InputProducts* Calibrator::FindProductsOf(std::string_view value_name) const {
  const auto found = impl_->products.find(value_name);
  return found != impl_->products.end() ? &found->second : nullptr;
}

StatisticsSet Calibrator::Statistics() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Named();
}

Status Calibrator::Merge(const StatisticsSet& other) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Named().Merge(other);
}

std::string Calibrator::model() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Named().model;
}

Table Calibrator::Ranges() const {
  Table table;
  table.columns = {"tensor", "min", "max", "scale", "zero_point", "samples", "nonfinite"};
  const LayerScheme scheme = impl_->schemes.For("");
  for (const std::string& name : impl_->observed) {
    const ValueStatistics& statistics = impl_->set.values.find(name)->second;
    float scale = 1;
    int32_t zero_point = 0;
    ChooseScale(FindRange(statistics, scheme), scheme.activation_dtype, scheme.activation_symmetric,
                &scale, &zero_point);
    table.Add({name, static_cast<double>(statistics.min()), static_cast<double>(statistics.max()),
               static_cast<double>(scale), static_cast<int64_t>(zero_point), impl_->set.samples,
               statistics.nonfinite()});
  }
  return table;
}

namespace {

constexpr int64_t kShownBins = 64;

// One side: bins that lie beside each other are added up, `together` at a time. `sign` is 1 or -1.
void AddSide(const std::string& name, std::span<const uint64_t> counts, int64_t together,
             double width, double sign, Table* table) {
  const auto n = static_cast<int64_t>(counts.size());
  for (int64_t begin = 0; begin < n; begin += together) {
    const int64_t end = std::min(begin + together, n);
    uint64_t sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += counts[static_cast<size_t>(i)];
    if (sum == 0) continue;
    const double a = sign * width * static_cast<double>(begin);
    const double b = sign * width * static_cast<double>(end);
    table->Add({name, std::min(a, b), std::max(a, b), static_cast<int64_t>(sum)});
  }
}

}  // namespace

Table Calibrator::Histograms() const {
  Table table;
  table.columns = {"tensor", "begin", "end", "count"};
  const std::lock_guard lock(impl_->mutex);
  for (const std::string& name : impl_->observed) {
    const ValueStatistics& s = impl_->set.values.find(name)->second;
    const double width = s.has_bins() ? s.bin_width() : 0;
    // How many bins of either side hold values.
    const double span = static_cast<double>(s.max()) - static_cast<double>(s.min());
    const int64_t used = width > 0 ? static_cast<int64_t>(span / width) + 1 : 1;
    const int64_t together = std::max<int64_t>((used + kShownBins - 1) / kShownBins, 1);
    AddSide(name, s.negative(), together, width, -1, &table);
    if (s.zeros() > 0) table.Add({name, 0.0, 0.0, s.zeros()});
    AddSide(name, s.positive(), together, width, 1, &table);
  }
  return table;
}

}  // namespace intmill
