// The certificate in a model: shown, made, and replayed.
#include "cli/certificate.h"

#include <cmath>
#include <cstdio>

#include "cli/error.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

// -1: no such row.
int64_t Find(const Report& certificate, const std::string& fact, const std::string& name) {
  for (int64_t i = 0; i < certificate.rows(); ++i)
    if (certificate.Text(i, "fact") == fact && certificate.Text(i, "name") == name) return i;
  return -1;
}

std::string Percent(const Report& certificate, const std::string& fact) {
  return FormatNumber(certificate.Number(Find(certificate, fact, ""), "value"), 2);
}

void TakeFrom(const std::map<std::string, std::string>& facts, const std::string& key,
              std::string& to) {
  const auto found = facts.find(key);
  if (to.empty() && found != facts.end()) to = found->second;
}

void TakeFrom(const std::map<std::string, std::string>& facts, const std::string& key,
              int64_t& to) {
  std::string text;
  TakeFrom(facts, key, text);
  if (to == 0 && !text.empty()) to = std::strtoll(text.c_str(), nullptr, 10);
}

// The file says how its data was prepared and how much of it was checked: what the command line
// leaves open is taken from there.
DataOptions CompletedFrom(const Model& model, DataOptions data) {
  const Report metadata = model.Report(INTMILL_REPORT_METADATA);
  std::map<std::string, std::string> facts;
  for (int64_t i = 0; i < metadata.rows(); ++i)
    facts[metadata.Text(i, "key")] = metadata.Text(i, "value");
  if (data.scale.empty() && data.mean.empty() && data.deviation.empty()) {
    TakeFrom(facts, "preprocess.scale", data.scale);
    TakeFrom(facts, "preprocess.mean", data.mean);
    TakeFrom(facts, "preprocess.std", data.deviation);
  }
  TakeFrom(facts, "preprocess.size", data.size);
  TakeFrom(facts, "check.samples", data.samples);
  return data;
}

struct Verdict {
  bool is_same_data = true;
  bool is_same_count = true;
  std::vector<int64_t> broken;  // rows
};

Verdict Judge(const Report& rows) {
  Verdict verdict;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    if (rows.Number(i, "holds") != 0) continue;
    const std::string figure = rows.Text(i, "figure");
    verdict.is_same_data = verdict.is_same_data && figure != "data" && figure != "labels";
    verdict.is_same_count = verdict.is_same_count && figure != "samples";
    verdict.broken.push_back(i);
  }
  return verdict;
}

std::string Reason(const ReplayOptions& options, const Report& rows, const Verdict& verdict) {
  const int64_t row = verdict.broken.front();
  if (!verdict.is_same_data) {
    if (rows.Number(rows.Row("data"), "holds") != 0)
      return Cat("--labels: not those that ", options.model, " was certified with: found digest ",
                 rows.Text(row, "found"), ", wanted ", rows.Text(row, "recorded"));
    std::string text =
        Cat("--data: not the data that ", options.model, " was certified with: found digest ",
            rows.Text(row, "found"), ", wanted ", rows.Text(row, "recorded"));
    if (!verdict.is_same_count)
      text += Cat("; found ", rows.Text(rows.Row("samples"), "found"), " samples, wanted ",
                  rows.Text(rows.Row("samples"), "recorded"));
    return text;
  }
  const std::string name = rows.Text(row, "name");
  return Cat(options.model, ": ", verdict.broken.size(),
             " figures of the certificate no longer hold, first ", rows.Text(row, "figure"),
             name.empty() ? "" : Cat(" of '", Printable(name), "'"), ": found ",
             FormatNumber(rows.Number(row, "found"), 2), ", recorded ",
             FormatNumber(rows.Number(row, "recorded"), 2));
}

void PrintReplay(const Report& rows, const Verdict& verdict) {
  std::vector<std::vector<std::string>> table;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const auto figure = [&](const char* column) {
      const double number = rows.Number(i, column);
      return std::isfinite(number) ? FormatNumber(number, 2) : rows.Text(i, column);
    };
    const double holds = rows.Number(i, "holds");
    table.push_back({rows.Text(i, "figure"), rows.Text(i, "name"), figure("recorded"),
                     figure("found"),
                     std::isnan(holds) ? "-"
                     : holds != 0      ? "yes"
                                       : "NO"});
  }
  std::fputs(FormatTable({"figure", "of", "recorded", "found", "holds"}, table).c_str(), stdout);
  if (verdict.broken.empty()) std::printf("\nthe certificate holds\n");
}

}  // namespace

std::string CertifiedFact(const Report& certificate, const std::string& fact) {
  return certificate.Text(Find(certificate, fact, ""), "value");
}

double CertifiedLayerSqnr(const Report& certificate, const std::string& layer) {
  return certificate.Number(Find(certificate, "layer_sqnr_db", layer), "value");
}

std::string CertificateText(const Report& certificate) {
  if (certificate.rows() == 0) return "";
  const auto fact = [&](const char* name) { return Printable(CertifiedFact(certificate, name)); };
  std::string text =
      Cat("\ncertificate: on ", fact("samples"), " samples the same answer as FP32 to ",
          Percent(certificate, "agreement"), " %");
  if (!fact("candidate_top1").empty())
    text += Cat("; top-1 ", Percent(certificate, "reference_top1"), " % in FP32, ",
                Percent(certificate, "candidate_top1"), " % now");
  for (int64_t i = 0; i < certificate.rows(); ++i)
    if (certificate.Text(i, "fact") == "output_sqnr_db")
      text += Cat("; ", Printable(certificate.Text(i, "name")), ": SQNR ",
                  FormatNumber(certificate.Number(i, "value"), 1), " dB");
  text += Cat("\n  FP32 model ", fact("reference"), ", data ", fact("data"), "\n  recipe ",
              fact("recipe"), ", intmill ", fact("version"), ", oneDNN ", fact("onednn_version"),
              ", ", fact("isa"), "\n");
  return text;
}

Certified CertifyModel(const Model& reference, const Model& candidate, Feeder& feeder,
                       const std::vector<int64_t>& labels, Work& work) {
  Probe probe = Probe::Certify(reference, candidate, work.options());
  work.ForEachBatch("check", feeder, [&](const std::vector<Tensor>& inputs) {
    std::vector<Tensor> targets;
    if (!labels.empty()) targets.push_back(LabelsOf(labels, feeder.batch()));
    probe.Feed(inputs, targets);
  });
  return {Certify(candidate, probe), probe.Report(INTMILL_REPORT_SUMMARY),
          probe.Report(INTMILL_REPORT_OUTPUTS)};
}

int ReplayCertificate(const ReplayOptions& options) {
  Work work(options.common);
  const Model model = work.Load(options.model);
  Probe probe;
  try {
    probe = Probe::Replay(model, work.options());
  } catch (const Error& error) {
    const char* const help =
        error.status() == INTMILL_ERROR_STATE
            ? "; 'intmill quantize --data' writes one, or give the float model "
              "first: verify REFERENCE CANDIDATE"
            : "";
    throw Failure(Cat(options.model, ": ", error.what(), help));
  }
  Feeder feeder(model, options.model, CompletedFrom(model, options.data));
  std::vector<int64_t> labels;
  if (!options.labels.empty()) labels = ReadLabels(options.labels, feeder.available());
  work.ForEachBatch("replay", feeder, [&](const std::vector<Tensor>& inputs) {
    std::vector<Tensor> targets;
    if (!labels.empty()) targets.push_back(LabelsOf(labels, feeder.batch()));
    probe.Feed(inputs, targets);
  });
  const Report rows = probe.Report(INTMILL_REPORT_REPLAY);
  const Verdict verdict = Judge(rows);
  work.line().Clear();
  if (options.common.json)
    std::printf("%s\n", JsonObject()
                            .Raw("holds", verdict.broken.empty() ? "true" : "false")
                            .Raw("figures", rows.Json())
                            .text()
                            .c_str());
  else if (verdict.is_same_data)
    PrintReplay(rows, verdict);
  if (verdict.broken.empty()) return 0;
  std::fprintf(stderr, "intmill: %s\n", Reason(options, rows, verdict).c_str());
  return 1;
}

}  // namespace intmill::cli
