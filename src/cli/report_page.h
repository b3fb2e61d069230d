// One self-contained page about a quantized model: HTML with its style and its pictures inside.
#ifndef INTMILL_CLI_REPORT_PAGE_H
#define INTMILL_CLI_REPORT_PAGE_H

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/layer_times.h"

namespace intmill::cli {

struct PageLayer {
  std::string name;
  std::string op;
  std::string precision;            // "INT8", "INT8 dynamic", "FP32"; "": no arithmetic worth it
  double sqnr_db = std::nan("");    // of its result, all layers quantized
  double alone_db = std::nan("");   // at the model's outputs, it alone quantized
  double agreement = std::nan("");  // then, percent
  std::string cause;
};

struct PageBin {
  double begin = 0;
  double end = 0;
  double count = 0;
};
struct PageHistogram {
  std::string tensor;
  std::vector<PageBin> bins;
  double low = 0;  // what the integers reach
  double high = 0;
};

struct PagePlan {
  double drop = 0;
  double latency_ms = 0;
  double bytes = 0;
  std::string label;  // "50 INT8, 3 FP32"
};

struct PageData {
  std::string title;
  double bytes_before = std::nan("");
  double bytes_after = std::nan("");
  double ms_before = std::nan("");
  double ms_after = std::nan("");
  std::vector<std::vector<std::string>> accuracy;  // rows: what, FP32, quantized
  std::vector<PageLayer> layers;                   // in running order
  std::vector<PageHistogram> histograms;
  std::string metric;
  std::vector<PagePlan> plans;
  std::vector<LayerInfo> graph;
  std::vector<std::pair<std::string, std::string>> facts;
};

std::string MakePage(const PageData& data);

// Text in HTML, also within quotes.
std::string Escaped(const std::string& text);
// Pictures, each with a title for those who cannot see it.
std::string HistogramSvg(const PageHistogram& histogram);
std::string FrontierSvg(const std::vector<PagePlan>& plans, const std::string& metric);
std::string GraphSvg(const std::vector<LayerInfo>& graph, const std::vector<PageLayer>& layers);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_REPORT_PAGE_H
