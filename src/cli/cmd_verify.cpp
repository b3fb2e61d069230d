// intmill verify: runs two models on the same data and says how much the second lost; or one model,
// and whether its certificate still holds.
#include <cmath>
#include <cstdio>
#include <optional>

#include "cli/certificate.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

struct VerifyOptions {
  CommonOptions common;
  DataOptions data;
  std::string reference;
  std::string candidate;
  std::string labels;
  std::optional<double> max_drop;
};

// Models are told apart by what they compute: an .onnx and the .im of the same float model are one.
void NoteOtherReference(const VerifyOptions& options, const Model& reference,
                        const Model& candidate, Work& work) {
  const Report made = candidate.Report(INTMILL_REPORT_CERTIFICATE);
  if (made.rows() == 0) return;
  const Report facts = reference.Report(INTMILL_REPORT_METADATA);
  const std::string found = facts.Text(facts.Row("intmill.digest"), "value");
  const std::string wanted = CertifiedFact(made, "reference");
  if (found == wanted) return;
  work.Note(Cat("note: ", options.candidate, " was not made from ", options.reference,
                ": found digest ", found, ", its certificate names ", wanted));
}

Probe Compare(const VerifyOptions& options, Work& work) {
  const Model reference = work.Load(options.reference);
  const Model candidate = work.Load(options.candidate);
  NoteOtherReference(options, reference, candidate, work);
  Feeder feeder(reference, options.reference, options.data);
  NoteRawBytes(work, feeder);
  std::vector<int64_t> labels;
  if (!options.labels.empty()) labels = ReadLabels(options.labels, feeder.available());
  Probe probe = Probe::Verify(reference, candidate, work.options());
  work.ForEachBatch("verify", feeder, [&](const std::vector<Tensor>& inputs) {
    std::vector<Tensor> targets;
    if (!labels.empty()) targets.push_back(LabelsOf(labels, feeder.batch()));
    probe.Feed(inputs, targets);
  });
  return probe;
}

// NaN where the summary has no such row.
double Figure(const Report& summary, const std::string& key) {
  return summary.Number(summary.Row(key), "value");
}

// Points lost: against the labels, or without them against the reference's own answers.
double DropOf(const Report& summary) {
  const double drop = Figure(summary, "reference_top1") - Figure(summary, "candidate_top1");
  return std::isnan(drop) ? 100 - Figure(summary, "agreement") : drop;
}

std::string TopToJson(const Report& summary, const std::string& side) {
  return JsonObject()
      .Number("top1", Figure(summary, side + "_top1"), 3)
      .Number("top5", Figure(summary, side + "_top5"), 3)
      .text();
}

void PrintJson(const Report& summary, const Report& outputs) {
  std::vector<std::string> rows;
  for (int64_t i = 0; i < outputs.rows(); ++i) {
    rows.push_back(JsonObject()
                       .Text("name", outputs.Text(i, "name"))
                       .Number("cosine", outputs.Number(i, "cosine"), 8)
                       .Number("sqnr_db", outputs.Number(i, "sqnr_db"), 3)
                       .Number("max_abs", outputs.Number(i, "max_abs"), 9)
                       .text());
  }
  const JsonObject result =
      JsonObject()
          .Integer("samples", static_cast<int64_t>(Figure(summary, "samples")))
          .Raw("reference", TopToJson(summary, "reference"))
          .Raw("candidate", TopToJson(summary, "candidate"))
          .Number("agreement", Figure(summary, "agreement"), 3)
          .Raw("outputs", JsonArray(rows));
  std::printf("%s\n", result.text().c_str());
}

void PrintText(const Report& summary, const Report& outputs) {
  const auto percent = [&](const char* key) { return FormatNumber(Figure(summary, key), 2); };
  std::printf("%s samples; both models give the same answer to %s %%\n\n",
              summary.Text(summary.Row("samples"), "value").c_str(), percent("agreement").c_str());
  if (summary.Row("reference_top1") >= 0) {
    std::fputs(FormatTable({"", "top-1 %", "top-5 %"},
                           {{"reference", percent("reference_top1"), percent("reference_top5")},
                            {"candidate", percent("candidate_top1"), percent("candidate_top5")}})
                   .c_str(),
               stdout);
    std::printf("\n");
  }
  std::vector<std::vector<std::string>> rows;
  for (int64_t i = 0; i < outputs.rows(); ++i) {
    rows.push_back({outputs.Text(i, "name"), FormatNumber(outputs.Number(i, "cosine"), 6),
                    FormatNumber(outputs.Number(i, "sqnr_db"), 2),
                    Cat(outputs.Number(i, "max_abs")), Cat(outputs.Number(i, "mean_abs"))});
  }
  std::fputs(
      FormatTable({"output", "cosine", "SQNR dB", "largest error", "mean error"}, rows).c_str(),
      stdout);
}

int Verify(const VerifyOptions& options) {
  if (options.candidate.empty()) {
    if (options.max_drop)
      throw UsageError("verify: --max-drop compares two models: REFERENCE and CANDIDATE");
    return ReplayCertificate({options.common, options.data, options.reference, options.labels});
  }
  Work work(options.common);
  const Probe probe = Compare(options, work);
  const Report summary = probe.Report(INTMILL_REPORT_SUMMARY);
  const Report outputs = probe.Report(INTMILL_REPORT_OUTPUTS);
  options.common.json ? PrintJson(summary, outputs) : PrintText(summary, outputs);
  if (!options.max_drop) return 0;
  const double drop = DropOf(summary);
  const bool is_good = drop <= *options.max_drop;  // false for NaN
  if (!is_good)
    std::fprintf(stderr, "intmill: %s: drops %s points, at most %s are allowed (--max-drop)\n",
                 options.candidate.c_str(), FormatNumber(drop, 2).c_str(),
                 FormatNumber(*options.max_drop, 2).c_str());
  return is_good ? 0 : 1;
}

constexpr const char* kFooter =
    "Both models run on the same data. With labels, top-1 and top-5 say how often the right class\n"
    "is first or among the first five; agreement says how often both put the same class first.\n"
    "For each output: cosine (1 is equal), signal-to-noise in decibels (20 dB: a tenth of noise;\n"
    "none for equal outputs), largest and mean error.\n"
    "\n"
    "With one model its certificate, which 'intmill quantize --data' writes, is replayed: the "
    "model\n"
    "runs on the same data again, and what was measured then must still hold, within 1 dB and one\n"
    "point, as processors round floats differently. Exit code 1 when it does not, when the data "
    "is\n"
    "not the same, or when the certificate is of another model. The float model is not needed.\n"
    "How the data is prepared, and how many samples are taken, is in the file.\n"
    "\n"
    "--max-drop makes it a test: exit code 1 when the candidate's top-1 lies more than POINTS "
    "below\n"
    "the reference's; without labels, when it disagrees on more than POINTS percent.\n"
    "\n"
    "Examples:\n"
    "  intmill verify model.onnx model.im --data image=test.npy\n"
    "  intmill verify model.im --data image=calib.npy          does its certificate hold?\n"
    "  intmill verify model.onnx model.im --data image=t10k-images-idx3-ubyte.gz --scale 1/255 \\\n"
    "      --labels t10k-labels-idx1-ubyte.gz --max-drop 0.5\n"
    "\n"
    "JSON: "
    "{\"samples\",\"reference\":{\"top1\",\"top5\"},\"candidate\":{\"top1\",\"top5\"},"
    "\"agreement\",\n"
    "\"outputs\":[{\"name\",\"cosine\",\"sqnr_db\",\"max_abs\"}]}; percent; null where there is no "
    "figure.\n"
    "Of one model: "
    "{\"holds\",\"figures\":[{\"figure\",\"name\",\"recorded\",\"found\",\"holds\"}]}.";

}  // namespace

void AddVerify(CommandLine& line) {
  auto options = std::make_shared<VerifyOptions>();
  Command command =
      line.Add("verify", "Compare two models on the same data, or replay a file's certificate");
  command.Footer(kFooter);
  command.Positional("REFERENCE", options->reference,
                     "The model to trust, usually float; or the only one");
  command.Positional("CANDIDATE", options->candidate, "The model to test", Need::kOptional);
  command.Text("--labels", "PATH", options->labels, Need::kOptional,
               "The right class of each sample: .npy or IDX, as many as there are samples in the "
               "data");
  command.Number("--max-drop", "POINTS", options->max_drop, -100, 100,
                 "Exit with 1 when it loses more");
  AddDataOptions(command, options->data, Need::kRequired);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Verify(*options); });
}

}  // namespace intmill::cli
