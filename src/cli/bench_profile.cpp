// What 'intmill bench --profile' tells: a row for each step, and a total.
#include "cli/bench_profile.h"

#include <algorithm>
#include <limits>

#include "cli/error.h"
#include "cli/json.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

bool IsQuantized(const LayerInfo& layer) {
  return layer.scheme == "static" || layer.scheme == "dynamic";
}

// A layer that stayed in float has its reason in the model; one that is quantized and reads floats
// all the same could not be folded into integers.
std::string WhyInFloat(const StepTime& step, const LayerInfo& layer) {
  if (step.dtype != "f32") return "";
  if (layer.scheme == "float") return Cat("in float: ", layer.note);
  if (layer.scheme == "static") return "in float: no integer form of these operands";
  return "";
}

// Operations per nanosecond; not a number where nothing is multiplied.
double Gops(const StepTime& step) {
  if (step.multiply_adds <= 0 || step.microseconds <= 0)
    return std::numeric_limits<double>::quiet_NaN();
  return 2 * step.multiply_adds / step.microseconds / 1000;
}

double Share(const ModelProfile& profile, const StepTime& step) {
  return profile.total_us > 0 ? 100 * step.microseconds / profile.total_us : 0;
}

}  // namespace

std::vector<std::string> NotesOf(const std::vector<StepTime>& steps,
                                 const std::vector<LayerInfo>& layers) {
  const StepOwners owners(layers);
  const bool is_quantized = std::any_of(layers.begin(), layers.end(), IsQuantized);
  std::vector<std::string> notes;
  for (const StepTime& step : steps) {
    std::string note = step.note.empty() ? "" : Cat("reference: ", step.note);
    const auto layer = IsConversion(step) ? std::nullopt : owners.Layer(step.layer);
    if (is_quantized && layer) {
      const std::string why = WhyInFloat(step, layers[*layer]);
      if (!why.empty()) note += (note.empty() ? "" : "; ") + why;
    }
    notes.push_back(std::move(note));
  }
  return notes;
}

ModelProfile ProfileSteps(const Model& model, const std::vector<Tensor>& inputs, double seconds,
                          Work& work) {
  TimedModel timed(model, work.options(), inputs, Detail::kSteps);
  TakeTurns({&timed}, seconds, "profile", work);
  ModelProfile profile{.steps = timed.Steps(), .notes = {}, .median_ms = timed.MedianMs()};
  profile.notes = NotesOf(profile.steps, ReadLayers(model));
  for (const StepTime& step : profile.steps) profile.total_us += step.microseconds;
  return profile;
}

std::string ToText(const ModelProfile& profile) {
  std::vector<std::vector<std::string>> rows;
  double multiply_adds = 0;
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    const StepTime& step = profile.steps[i];
    multiply_adds += step.multiply_adds;
    rows.push_back({step.layer, step.op, step.kernel, step.isa, FormatNumber(step.microseconds, 2),
                    FormatNumber(Gops(step), 1), FormatNumber(Share(profile, step), 1),
                    profile.notes[i]});
  }
  const StepTime total{.multiply_adds = multiply_adds, .microseconds = profile.total_us};
  rows.push_back({"total", "", "", "", FormatNumber(profile.total_us, 2),
                  FormatNumber(Gops(total), 1), FormatNumber(Share(profile, total), 1), ""});
  return FormatTable({"layer", "op", "kernel", "isa", "us", "GOP/s", "%", "note"}, rows) +
         Cat("median of runs with a clock at each step: ", FormatNumber(profile.median_ms, 3),
             " ms\n");
}

std::string ToJson(const ModelProfile& profile) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    const StepTime& step = profile.steps[i];
    rows.push_back(JsonObject()
                       .Text("layer", step.layer)
                       .Text("op", step.op)
                       .Text("kernel", step.kernel)
                       .Text("isa", step.isa)
                       .Number("us", step.microseconds, 3)
                       .Number("gops", Gops(step), 2)
                       .Number("share", Share(profile, step), 2)
                       .Text("note", profile.notes[i])
                       .text());
  }
  return JsonArray(rows);
}

}  // namespace intmill::cli
