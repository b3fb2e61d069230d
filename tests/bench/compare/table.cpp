// A comparison as text for people: one table of speeds, one of loading and memory, and the reasons.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/compare/output.h"

namespace intmill::bench {
namespace {

using Row = std::vector<std::string>;

std::string Number(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// The first column to the left, numbers to the right.
std::string Align(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - row[i].size(), ' ');
      text += i == 0 ? row[i] + fill : "  " + fill + row[i];
    }
    text += '\n';
  }
  return text;
}

std::string SpeedTable(const Comparison& comparison) {
  std::vector<Row> rows = {{"median ms", "GMAC", "im f32", "im int8", "ort f32", "ort int8",
                            "f32 ort/im", "int8 ort/im", "im GOP/s", "ort GOP/s", "im % peak"}};
  for (const ModelResult& result : comparison.models) {
    Row row = {result.name, Number(result.macs / 1e9, 2)};
    for (const Figures& figures : result.figures) row.push_back(Number(figures.median_ms, 3));
    row.push_back(Number(Ratio(result, kOrtF32, kIntmillF32), 2));
    row.push_back(Number(Ratio(result, kOrtInt8, kIntmillInt8), 2));
    row.push_back(Number(Gops(result, kIntmillInt8), 0));
    row.push_back(Number(Gops(result, kOrtInt8), 0));
    row.push_back(Number(100 * Gops(result, kIntmillInt8) / comparison.peak_gops, 0));
    rows.push_back(row);
  }
  rows.push_back({"geometric mean", "", "", "", "", "",
                  Number(MeanRatio(comparison, kOrtF32, kIntmillF32), 2),
                  Number(MeanRatio(comparison, kOrtInt8, kIntmillInt8), 2), "", "", ""});
  return Align(rows);
}

std::string LoadTable(const Comparison& comparison) {
  Row head = {"to load"};
  for (const char* unit : {"ms", "MB"}) {
    for (const char* variant : {"im f32 ", "im int8 ", "ort f32 ", "ort int8 "})
      head.push_back(std::string(variant) + unit);
  }
  std::vector<Row> rows = {head};
  for (const ModelResult& result : comparison.models) {
    Row row = {result.name};
    for (const Figures& figures : result.figures) row.push_back(Number(figures.load_ms, 0));
    for (const Figures& figures : result.figures) row.push_back(Number(figures.peak_mb, 0));
    rows.push_back(row);
  }
  return Align(rows);
}

}  // namespace

std::string ToTable(const Comparison& comparison) {
  std::string text = comparison.cpu + ", " + comparison.isa + ", threads " +
                     std::to_string(comparison.threads) + ", batch 1\nintmill " +
                     comparison.intmill + ", ONNX Runtime " +
                     (comparison.ort.empty() ? "-" : comparison.ort) +
                     ", dot-product peak of one core " + Number(comparison.peak_gops, 0) +
                     " GOP/s\n\n" + SpeedTable(comparison) + "\n" + LoadTable(comparison);
  for (const ModelResult& result : comparison.models) {
    for (size_t i = 0; i < kVariants; ++i) {
      if (result.figures[i].reason.empty()) continue;
      text += "\n" + result.name + ", " + kVariantNames[i] + ": " + result.figures[i].reason;
    }
  }
  return text.ends_with('\n') ? text : text + "\n";
}

}  // namespace intmill::bench
