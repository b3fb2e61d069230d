// A comparison as CSV and as JSON: the same names and numbers in both.
#include <cmath>
#include <cstdio>
#include <utility>

#include "bench/compare/output.h"

namespace intmill::bench {
namespace {

using Fields = std::vector<std::pair<std::string, double>>;

// Counts in full, the rest to six digits.
std::string Number(double value, const char* missing) {
  if (!std::isfinite(value)) return missing;
  char text[64];
  std::snprintf(text, sizeof text, value == std::floor(value) ? "%.0f" : "%.6g", value);
  return text;
}

std::string Quoted(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return text + '"';
}

Fields FieldsOf(const ModelResult& result, double peak_gops) {
  Fields fields = {{"macs", result.macs}};
  for (size_t i = 0; i < kVariants; ++i) {
    const std::string name = kVariantNames[i];
    fields.emplace_back(name + "_ms", result.figures[i].median_ms);
    fields.emplace_back(name + "_min_ms", result.figures[i].min_ms);
    fields.emplace_back(name + "_load_ms", result.figures[i].load_ms);
    fields.emplace_back(name + "_peak_mb", result.figures[i].peak_mb);
    fields.emplace_back(name + "_gops", Gops(result, static_cast<Variant>(i)));
  }
  fields.emplace_back("ratio_f32", Ratio(result, kOrtF32, kIntmillF32));
  fields.emplace_back("ratio_int8", Ratio(result, kOrtInt8, kIntmillInt8));
  fields.emplace_back("share_of_peak", Gops(result, kIntmillInt8) / peak_gops);
  return fields;
}

std::string JsonFields(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += (text.empty() ? "" : ",") + Quoted(name) + ":" + Number(value, "null");
  return text;
}

std::string JsonModel(const ModelResult& result, double peak_gops) {
  std::string reasons;
  for (size_t i = 0; i < kVariants; ++i) {
    if (result.figures[i].reason.empty()) continue;
    reasons += (reasons.empty() ? "" : ",") + Quoted(kVariantNames[i]) + ":" +
               Quoted(result.figures[i].reason);
  }
  return "{\"model\":" + Quoted(result.name) + "," + JsonFields(FieldsOf(result, peak_gops)) +
         ",\"reasons\":{" + reasons + "}}";
}

}  // namespace

std::string ToCsv(const Comparison& comparison) {
  std::string text = "model";
  for (const auto& [name, value] : FieldsOf({}, kNone)) text += "," + name;
  for (const ModelResult& result : comparison.models) {
    text += "\n" + result.name;
    for (const auto& [name, value] : FieldsOf(result, comparison.peak_gops))
      text += "," + Number(value, "");
  }
  return text + "\n";
}

std::string ToJson(const Comparison& comparison) {
  std::string models;
  for (const ModelResult& result : comparison.models)
    models += (models.empty() ? "" : ",\n") + JsonModel(result, comparison.peak_gops);
  const Fields means = {
      {"ratio_f32", MeanRatio(comparison, kOrtF32, kIntmillF32)},
      {"ratio_int8", MeanRatio(comparison, kOrtInt8, kIntmillInt8)},
      {"intmill_f32_to_int8", MeanRatio(comparison, kIntmillF32, kIntmillInt8)},
      {"ort_f32_to_int8", MeanRatio(comparison, kOrtF32, kOrtInt8)},
  };
  return "{\"cpu\":" + Quoted(comparison.cpu) + ",\"isa\":" + Quoted(comparison.isa) +
         ",\"threads\":" + std::to_string(comparison.threads) +
         ",\"intmill\":" + Quoted(comparison.intmill) +
         ",\"onnxruntime\":" + (comparison.ort.empty() ? "null" : Quoted(comparison.ort)) +
         ",\"peak_gops\":" + Number(comparison.peak_gops, "null") + ",\"models\":[\n" + models +
         "],\n\"geometric_means\":{" + JsonFields(means) + "}}\n";
}

}  // namespace intmill::bench
