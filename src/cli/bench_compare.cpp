// What 'intmill bench --compare' tells: both models take turns, and their steps meet by layer.
#include "cli/bench_compare.h"

#include <algorithm>
#include <limits>
#include <map>

#include "cli/array.h"
#include "cli/error.h"
#include "cli/json.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

// Of a layer's time, and at least: as much may be chance.
constexpr double kMargin = 0.05;
constexpr double kLeastUs = 0.1;

void CheckSamePorts(const Model& reference, const std::string& reference_name,
                    const std::vector<Tensor>& inputs, const std::string& candidate_name) {
  const std::vector<Port> ports = reference.Ports(INTMILL_INPUT);
  if (ports.size() != inputs.size())
    throw UsageError(Cat("--compare: ", reference_name, " has ", ports.size(), " inputs, ",
                         candidate_name, " has ", inputs.size()));
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::vector<int64_t> dims = inputs[i].dims();
    bool fits = ports[i].dtype == inputs[i].dtype() && ports[i].dims.size() == dims.size();
    for (size_t d = 0; fits && d < dims.size(); ++d)
      fits = ports[i].dims[d] == -1 || ports[i].dims[d] == dims[d];
    if (!fits && ports[i].rank != -1)
      throw UsageError(Cat("--compare: input '", ports[i].name, "' of ", reference_name, " is ",
                           ShapeText(ports[i].dims), ", that of ", candidate_name, " is ",
                           ShapeText(dims), ", or their types differ"));
  }
}

// Steps that belong to no layer, one row for each operator.
void AddOthers(const std::vector<StepTime>& steps, double ComparedLayer::*time,
               std::map<std::string, ComparedLayer>& rows) {
  for (const StepTime& step : steps) {
    ComparedLayer& row = rows[step.op];
    row.layer = Cat("(", step.op, ")");
    row.op = step.op;
    row.*time += step.microseconds;
  }
}

std::vector<ComparedLayer> Join(const std::vector<LayerInfo>& layers, const LayerTimes& fp32,
                                const LayerTimes& int8) {
  std::vector<ComparedLayer> rows;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (fp32.microseconds[i] <= 0 && int8.microseconds[i] <= 0) continue;
    rows.push_back({layers[i].name, layers[i].op, fp32.microseconds[i], int8.microseconds[i]});
  }
  std::map<std::string, ComparedLayer> others;
  AddOthers(fp32.others, &ComparedLayer::fp32_us, others);
  AddOthers(int8.others, &ComparedLayer::int8_us, others);
  for (const auto& [op, row] : others) rows.push_back(row);
  return rows;
}

std::string Ratio(double fp32, double int8) {
  return fp32 > 0 && int8 > 0 ? FormatNumber(fp32 / int8, 2) : "-";
}

std::string Verdict(double fp32, double int8) {
  const bool is_slower = int8 > fp32 * 1.005;  // less is not seen in the digits printed
  return Cat("INT8 is ", FormatNumber(is_slower ? int8 / fp32 : fp32 / int8, 2), " times as ",
             is_slower ? "slow" : "fast", " as FP32: ", FormatNumber(int8, 3), " ms against ",
             FormatNumber(fp32, 3), " ms\n");
}

std::string SlowerText(const std::vector<ComparedLayer>& layers) {
  std::vector<ComparedLayer> slower;
  std::copy_if(layers.begin(), layers.end(), std::back_inserter(slower), IsSlower);
  if (slower.empty()) return "INT8 is slower in no layer\n";
  std::stable_sort(slower.begin(), slower.end(), [](const auto& a, const auto& b) {
    return a.int8_us - a.fp32_us > b.int8_us - b.fp32_us;
  });
  std::string text =
      Cat("INT8 is slower in ", slower.size(), " of ", layers.size(), " layers, most first:\n");
  for (const ComparedLayer& row : slower)
    text += Cat("  ", Printable(row.layer), " (", row.op, ")  by ",
                FormatNumber(row.int8_us - row.fp32_us, 2), " us\n");
  return text;
}

}  // namespace

bool IsSlower(const ComparedLayer& layer) {
  return layer.int8_us > layer.fp32_us + std::max(layer.fp32_us * kMargin, kLeastUs);
}

Comparison CompareWith(const std::string& reference, const std::string& candidate,
                       const Model& model, const std::vector<Tensor>& inputs, double seconds,
                       Work& work) {
  const Model float_model = work.Load(reference);
  CheckSamePorts(float_model, reference, inputs, candidate);
  TimedModel fp32(float_model, work.options(), inputs, Detail::kSteps);
  TimedModel int8(model, work.options(), inputs, Detail::kSteps);
  TakeTurns({&fp32, &int8}, seconds, "compare", work);
  const std::vector<LayerInfo> layers = ReadLayers(float_model);
  return {
      .reference = reference,
      .fp32_ms = fp32.MedianMs(),
      .int8_ms = int8.MedianMs(),
      .layers = Join(layers, SumByLayer(layers, fp32.Steps()), SumByLayer(layers, int8.Steps()))};
}

std::string ToText(const Comparison& comparison) {
  std::vector<std::vector<std::string>> rows;
  ComparedLayer total{.layer = "total"};
  for (const ComparedLayer& row : comparison.layers) {
    total.fp32_us += row.fp32_us;
    total.int8_us += row.int8_us;
    rows.push_back({row.layer, row.op, FormatNumber(row.fp32_us, 2), FormatNumber(row.int8_us, 2),
                    Ratio(row.fp32_us, row.int8_us), IsSlower(row) ? "slower in INT8" : ""});
  }
  rows.push_back({total.layer, "", FormatNumber(total.fp32_us, 2), FormatNumber(total.int8_us, 2),
                  Ratio(total.fp32_us, total.int8_us), ""});
  return Cat("beside ", comparison.reference, ", both with a clock at each step\n") +
         FormatTable({"layer", "op", "FP32 us", "INT8 us", "ratio", ""}, rows) +
         SlowerText(comparison.layers) + Verdict(comparison.fp32_ms, comparison.int8_ms);
}

std::string ToJson(const Comparison& comparison) {
  std::vector<std::string> layers;
  std::vector<std::string> slower;
  for (const ComparedLayer& row : comparison.layers) {
    layers.push_back(JsonObject()
                         .Text("layer", row.layer)
                         .Text("op", row.op)
                         .Number("fp32_us", row.fp32_us, 3)
                         .Number("int8_us", row.int8_us, 3)
                         .text());
    if (IsSlower(row)) slower.push_back(JsonText(row.layer));
  }
  return JsonObject()
      .Text("model", comparison.reference)
      .Number("fp32_ms", comparison.fp32_ms, 4)
      .Number("int8_ms", comparison.int8_ms, 4)
      .Number("ratio", comparison.fp32_ms / comparison.int8_ms, 3)
      .Raw("layers", JsonArray(layers))
      .Raw("slower", JsonArray(slower))
      .text();
}

}  // namespace intmill::cli
