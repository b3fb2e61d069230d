// Certifier and CertificateReplay: one thread, every batch through plans as they really run.
#include "quant/certify.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "engine/machine.h"
#include "ir/digest.h"
#include "quant/layer_values.h"
#include "quant/output_sums.h"
#include "quant/signal.h"
#include "quant/targets.h"
#include "quant/verify.h"

namespace intmill {
namespace {

// Enough to notice a decibel, and small beside the weights of a small model.
constexpr size_t kOutputBuckets = 128;
constexpr size_t kLayerBuckets = 32;
constexpr int64_t kMostAnswers = 16384;

// Another processor may round float layers otherwise, and carry near-ties of integers to the other
// side. What is above 80 dB differs by the rounding of floats only.
constexpr double kAllowedDb = 1;
constexpr double kOnlyRoundingDb = 80;
constexpr double kAllowedPercent = 1;

// Every layer's result is there to be seen: fuse_table changes no bits, but hides those in front of
// its tables.
SessionOptions OneThread(SessionOptions options) {
  options.threads = 1;
  options.passes.disabled.emplace_back("fuse_table");
  return options;
}

// Of a stream of tensors, whatever the batches: the type, the shape of a row, and all bytes.
class StreamDigest {
 public:
  void Add(const Tensor& tensor) {
    if (!was_fed_) {
      digest_.AddNumber(static_cast<int64_t>(tensor.dtype()));
      digest_.AddNumber(tensor.rank());
      for (int64_t d = 1; d < tensor.rank(); ++d) digest_.AddNumber(tensor.dim(d));
      was_fed_ = true;
    }
    digest_.Add({tensor.data<std::byte>(), static_cast<size_t>(tensor.bytes())});
  }
  std::string Hex() const { return was_fed_ ? digest_.Hex() : std::string(); }

 private:
  Digest digest_;
  bool was_fed_ = false;
};

std::string HexOfAll(const std::vector<StreamDigest>& inputs) {
  Digest all;
  for (const StreamDigest& input : inputs) all.AddText(input.Hex());
  return all.Hex();
}

struct Fact {
  std::string isa;
  std::string onednn;
};

Fact MachineFacts() {
  const Table machine = DescribeMachine("");
  const auto value = [&](std::string_view key) {
    for (const auto& row : machine.rows)
      if (ToText(row[0]) == key) return ToText(row[1]);
    return std::string();
  };
  return {value("isa_effective"), value("onednn_version")};
}

// What is added up of one layer, or of one output.
struct LayerSums {
  SignalSums signal;
  Sketch reference{kLayerBuckets};
  Sketch candidate{kLayerBuckets};
};

using LayersOfRun = std::map<std::string, std::vector<float>>;

Result<std::vector<Tensor>> RunTapped(const Session& session, const LayerValues& layers,
                                      std::span<const Tensor> inputs, LayersOfRun* found) {
  std::vector<Tensor> outputs(session.graph().outputs.size());
  TRY(session.Run(inputs, outputs,
                  layers.MakeTap([&](const std::string& layer, std::span<const float> values) {
                    (*found)[layer].assign(values.begin(), values.end());
                  })));
  return outputs;
}

Status AddToSketch(const Tensor& output, Sketch* sketch) {
  ASSIGN_OR_RETURN(const std::vector<float> values, ToFloats(output));
  sketch->Add(values);
  return Ok();
}

// What both models are fed.
struct Fed {
  std::vector<StreamDigest> inputs;
  StreamDigest labels;

  void Add(std::span<const Tensor> tensors, std::span<const Tensor> targets) {
    inputs.resize(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) inputs[i].Add(tensors[i]);
    for (const Tensor& target : targets) labels.Add(target);
  }
};

}  // namespace

struct Certifier::Impl {
  std::shared_ptr<const Graph> reference;
  std::shared_ptr<const Graph> candidate;
  std::shared_ptr<const Session> reference_session;
  std::shared_ptr<const Session> candidate_session;
  LayerValues reference_layers;
  LayerValues candidate_layers;

  OutputSums sums;
  std::map<std::string, LayerSums> layers;
  std::vector<Sketch> reference_outputs;
  std::vector<Sketch> candidate_outputs;
  Fed fed;

  void AddLayers(const LayersOfRun& a, const LayersOfRun& b);
  Certificate Make(const std::string& version) const;
};

Certifier::Certifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Certifier::~Certifier() = default;

Result<std::unique_ptr<Certifier>> Certifier::Create(std::shared_ptr<const Graph> reference,
                                                     std::shared_ptr<const Graph> candidate,
                                                     SessionOptions options) {
  TRY(CheckSamePorts(*reference, *candidate));
  ASSIGN_OR_RETURN(auto reference_session, Session::Create(reference, OneThread(options)));
  ASSIGN_OR_RETURN(auto candidate_session, Session::Create(candidate, OneThread(options)));
  const std::vector<Sketch> outputs(reference->outputs.size(), Sketch(kOutputBuckets));
  return std::make_unique<Certifier>(
      std::make_unique<Impl>(Impl{.reference = reference,
                                  .candidate = candidate,
                                  .reference_session = std::move(reference_session),
                                  .candidate_session = std::move(candidate_session),
                                  .reference_layers = LayerValues(*reference),
                                  .candidate_layers = LayerValues(*candidate),
                                  .sums = {},
                                  .layers = {},
                                  .reference_outputs = outputs,
                                  .candidate_outputs = outputs,
                                  .fed = {}}));
}

void Certifier::Impl::AddLayers(const LayersOfRun& a, const LayersOfRun& b) {
  for (const auto& [layer, values] : a) {
    const auto other = b.find(layer);
    if (other == b.end() || other->second.size() != values.size()) continue;
    LayerSums& s = layers[layer];
    s.signal.Add(values, other->second);
    s.reference.Add(values);
    s.candidate.Add(other->second);
  }
}

Status Certifier::Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  LayersOfRun a;
  LayersOfRun b;
  ASSIGN_OR_RETURN(const std::vector<Tensor> wanted,
                   RunTapped(*impl_->reference_session, impl_->reference_layers, inputs, &a));
  ASSIGN_OR_RETURN(const std::vector<Tensor> found,
                   RunTapped(*impl_->candidate_session, impl_->candidate_layers, inputs, &b));
  OutputSums sums = impl_->sums;
  TRY(sums.Add(*impl_->reference, wanted, found, targets));
  for (size_t i = 0; i < wanted.size(); ++i) {
    TRY(AddToSketch(wanted[i], &impl_->reference_outputs[i]));
    TRY(AddToSketch(found[i], &impl_->candidate_outputs[i]));
  }
  impl_->sums = std::move(sums);
  impl_->AddLayers(a, b);
  impl_->fed.Add(inputs, targets);
  return Ok();
}

Table Certifier::Summary() const { return impl_->sums.Summary(); }
Table Certifier::Outputs() const { return impl_->sums.Outputs(*impl_->reference); }

Certificate Certifier::Impl::Make(const std::string& version) const {
  Certificate c;
  const Fact machine = MachineFacts();
  c.reference = DigestOf(*reference);
  c.model = DigestOf(*candidate);
  c.data = HexOfAll(fed.inputs);
  c.labels = fed.labels.Hex();
  c.rows = sums.rows();
  c.agreement = sums.Percent(sums.agreeing());
  if (sums.has_targets())
    c.accuracy = {sums.Percent(sums.reference().top1), sums.Percent(sums.reference().top5),
                  sums.Percent(sums.candidate().top1), sums.Percent(sums.candidate().top5)};
  if (sums.rows() <= kMostAnswers) c.answers = sums.answers();
  for (size_t i = 0; i < reference_outputs.size(); ++i) {
    const Difference d = sums.outputs()[i].Get();
    const Sketch kept = reference_outputs[i].Rounded();
    c.outputs.push_back({.name = reference->value(reference->outputs[i]).name,
                         .sqnr_db = d.sqnr_db,
                         .cosine = d.cosine,
                         .max_abs = d.max_abs,
                         .mean_abs = d.mean_abs,
                         .estimate = Sketch::SqnrDb(kept, candidate_outputs[i].Rounded()),
                         .sketch = kept});
  }
  for (const auto& [layer, s] : layers) {
    const Sketch kept = s.reference.Rounded();
    c.layers.push_back({.name = layer,
                        .sqnr_db = s.signal.SqnrDb(),
                        .cosine = s.signal.Cosine(),
                        .estimate = Sketch::SqnrDb(kept, s.candidate.Rounded()),
                        .sketch = kept});
  }
  c.isa = machine.isa;
  c.onednn = machine.onednn;
  c.version = version;
  return c;
}

Result<Graph> Certifier::Certify(const Graph& graph, const std::string& version) const {
  const Certificate certificate = impl_->Make(version);
  if (&graph != impl_->candidate.get() && DigestOf(graph) != certificate.model)
    return Error(Code::kInvalidArgument, "the figures are of another model");
  Graph certified = graph;
  WriteCertificate(certificate, certified);
  return certified;
}

struct CertificateReplay::Impl {
  std::shared_ptr<const Graph> graph;
  std::shared_ptr<const Session> session;
  LayerValues watched;
  Certificate certificate;

  int64_t rows = 0;
  int64_t agreeing = 0;
  Hits hits;
  std::map<std::string, Sketch> layers;
  std::vector<Sketch> outputs;
  Fed fed;

  Status AddRows(const Tensor& output, std::span<const Tensor> targets);
  void AddFigures(const char* what, const std::vector<Certificate::Figure>& recorded,
                  const std::function<const Sketch*(const std::string&)>& find, Table* rows) const;
  void AddPercent(const char* what, double recorded, int64_t part, Table* rows) const;
};

CertificateReplay::CertificateReplay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CertificateReplay::~CertificateReplay() = default;

Result<std::unique_ptr<CertificateReplay>> CertificateReplay::Create(
    std::shared_ptr<const Graph> graph, SessionOptions options) {
  ASSIGN_OR_RETURN(Certificate certificate, ReadCertificate(*graph));
  if (DigestOf(*graph) != certificate.model)
    return Error(Code::kBadFormat, "the certificate is of another model: found digest ",
                 DigestOf(*graph), ", it was made for ", certificate.model);
  ASSIGN_OR_RETURN(auto session, Session::Create(graph, OneThread(std::move(options))));
  const std::vector<Sketch> outputs(graph->outputs.size(), Sketch(kOutputBuckets));
  return std::make_unique<CertificateReplay>(
      std::make_unique<Impl>(Impl{.graph = graph,
                                  .session = std::move(session),
                                  .watched = LayerValues(*graph),
                                  .certificate = std::move(certificate),
                                  .rows = 0,
                                  .agreeing = 0,
                                  .hits = {},
                                  .layers = {},
                                  .outputs = outputs,
                                  .fed = {}}));
}

Status CertificateReplay::Impl::AddRows(const Tensor& output, std::span<const Tensor> targets) {
  const int64_t classes = output.rank() > 0 ? output.dim(output.rank() - 1) : 1;
  if (classes == 0) return Ok();
  ASSIGN_OR_RETURN(const std::vector<float> values, ToFloats(output));
  ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, ReadTargets(targets));
  const int64_t n = output.elements() / classes;
  if (!targets.empty()) TRY(CheckTargets(wanted, n, classes));
  for (int64_t row = 0; row < n; ++row) {
    const auto best = LargestOfRow(
        std::span(values).subspan(static_cast<size_t>(row * classes), static_cast<size_t>(classes)),
        5);
    const auto at = static_cast<size_t>(rows + row);
    if (at < certificate.answers.size() && best[0] == certificate.answers[at]) ++agreeing;
    if (!targets.empty()) hits.Count(best, wanted[static_cast<size_t>(row)]);
  }
  rows += n;
  return Ok();
}

Status CertificateReplay::Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  LayersOfRun found;
  ASSIGN_OR_RETURN(const std::vector<Tensor> outputs,
                   RunTapped(*impl_->session, impl_->watched, inputs, &found));
  if (!outputs.empty()) TRY(impl_->AddRows(outputs[0], targets));
  for (size_t i = 0; i < outputs.size(); ++i) TRY(AddToSketch(outputs[i], &impl_->outputs[i]));
  for (const auto& [layer, values] : found)
    impl_->layers.try_emplace(layer, kLayerBuckets).first->second.Add(values);
  impl_->fed.Add(inputs, targets);
  return Ok();
}

void CertificateReplay::Impl::AddPercent(const char* what, double recorded, int64_t part,
                                         Table* table) const {
  const double found =
      rows > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(rows) : 0.0;
  const double one_row = 100.0 / static_cast<double>(std::max<int64_t>(rows, 1));
  const bool holds = found >= recorded - std::max(kAllowedPercent, one_row) - 1e-9;
  table->Add({std::string(what), std::string(), recorded, found, int64_t{holds}});
}

// What the sketches say has changed is added to what was measured without them.
void CertificateReplay::Impl::AddFigures(
    const char* what, const std::vector<Certificate::Figure>& recorded,
    const std::function<const Sketch*(const std::string&)>& find, Table* table) const {
  for (const Certificate::Figure& f : recorded) {
    const Sketch* const sketch = find(f.name);
    if (sketch == nullptr) {
      table->Add({std::string(what), f.name, f.sqnr_db, Table::Cell(), Table::Cell()});
      continue;
    }
    const double now = Sketch::SqnrDb(f.sketch, sketch->Rounded());
    // A file has the digits of a float.
    const bool same = static_cast<float>(now) == static_cast<float>(f.estimate) ||
                      (std::isnan(now) && std::isnan(f.estimate));
    const double found = same ? f.sqnr_db : f.sqnr_db + now - f.estimate;
    const bool holds =
        same || now >= std::min(f.estimate, kOnlyRoundingDb) - kAllowedDb;  // false for NaN
    table->Add(
        {std::string(what), f.name, f.sqnr_db, std::isfinite(found) ? found : now, int64_t{holds}});
  }
}

Table CertificateReplay::Rows() const {
  const Certificate& c = impl_->certificate;
  Table table{.columns = {"figure", "name", "recorded", "found", "holds"}, .rows = {}};
  const std::string data = HexOfAll(impl_->fed.inputs);
  const std::string labels = impl_->fed.labels.Hex();
  table.Add({std::string("data"), std::string(), c.data, data, int64_t{data == c.data}});
  table.Add(
      {std::string("samples"), std::string(), c.rows, impl_->rows, int64_t{impl_->rows == c.rows}});
  if (!c.labels.empty() && !labels.empty())
    table.Add(
        {std::string("labels"), std::string(), c.labels, labels, int64_t{labels == c.labels}});
  if (!c.answers.empty()) impl_->AddPercent("agreement", c.agreement, impl_->agreeing, &table);
  if (c.accuracy && !labels.empty()) {
    impl_->AddPercent("candidate_top1", c.accuracy->candidate_top1, impl_->hits.top1, &table);
    impl_->AddPercent("candidate_top5", c.accuracy->candidate_top5, impl_->hits.top5, &table);
  }
  impl_->AddFigures(
      "output_sqnr_db", c.outputs,
      [&](const std::string& name) -> const Sketch* {
        for (size_t i = 0; i < impl_->outputs.size(); ++i)
          if (impl_->graph->value(impl_->graph->outputs[i]).name == name) return &impl_->outputs[i];
        return nullptr;
      },
      &table);
  impl_->AddFigures(
      "layer_sqnr_db", c.layers,
      [&](const std::string& name) -> const Sketch* {
        const auto found = impl_->layers.find(name);
        return found == impl_->layers.end() ? nullptr : &found->second;
      },
      &table);
  return table;
}

}  // namespace intmill
