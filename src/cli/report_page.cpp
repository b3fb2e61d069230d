// The page: no script and no address, so that it opens from a mail and asks nobody for anything.
#include "cli/report_page.h"

#include <algorithm>

#include "cli/console.h"
#include "cli/error.h"

namespace intmill::cli {
namespace {

// Contrast of text is at least 4.5 : 1 in both schemes, of what pictures show at least 3 : 1.
constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--back:#fff;--card:#f4f6f8;--text:#1b1f24;--quiet:#51606f;--line:#8794a1;
--int8:#0b6b50;--int8-back:#d3f0e4;--fp32:#8a4b08;--fp32-back:#fbe6cd;--bar:#2563b0;--clip:#dbe7f7;
--focus:#b3261e}
@media(prefers-color-scheme:dark){:root{--back:#14181d;--card:#1e252c;--text:#e8edf2;--quiet:#a9b6c3;
--line:#71808f;--int8:#63d3ab;--int8-back:#12392e;--fp32:#f0b26b;--fp32-back:#43301a;--bar:#7fb2f0;
--clip:#24364d;--focus:#ff9d94}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--back);color:var(--text);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.quiet{color:var(--quiet)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:1rem 0;padding:0}
.tiles>div{background:var(--card);border-radius:.5rem;padding:.75rem}
.tiles dt{color:var(--quiet);font-size:.85rem}.tiles dd{margin:0;font-size:1.4rem;font-weight:600}
.tiles dd small{display:block;font-size:.85rem;font-weight:400;color:var(--quiet)}
.scroll{overflow:auto;max-height:36rem;border:1px solid var(--line);border-radius:.5rem}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.3rem .5rem;text-align:left;border-bottom:1px solid var(--card);vertical-align:top}
thead th{position:sticky;top:0;background:var(--card);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tbody th{font-weight:400;min-width:6.5rem}
td.bars{min-width:7rem;width:35%}.bar{height:.8rem;margin-top:.3rem;background:var(--bar);border-radius:2px}
.p-int8,.p-fp32{padding:0 .35rem;border-radius:.25rem;white-space:nowrap}
.p-int8{background:var(--int8-back);color:var(--int8)}.p-fp32{background:var(--fp32-back);color:var(--fp32)}
details{background:var(--card);border-radius:.5rem;margin:.4rem 0;padding:.4rem .75rem}
summary{cursor:pointer}
svg{max-width:100%;height:auto;display:block}.scroll svg{max-width:none}
svg text{fill:var(--text);font:12px system-ui,sans-serif}
.bin{fill:var(--bar)}.zero{fill:var(--fp32)}.clip{fill:var(--clip)}.axis{stroke:var(--line)}
.limit{stroke:var(--focus);stroke-width:2}
.plan{fill:var(--clip);stroke:var(--bar);stroke-width:2}
.edge{fill:none;stroke:var(--line);stroke-width:1.5}
rect.int8{fill:var(--int8-back);stroke:var(--int8);stroke-width:2}
rect.fp32{fill:var(--fp32-back);stroke:var(--fp32);stroke-width:2;stroke-dasharray:6 3}
rect.none{fill:var(--card);stroke:var(--line)}
@media(max-width:36rem){th,td{padding:.3rem .25rem}.wide{display:none}
svg text{font-size:20px}.scroll svg text{font-size:12px}}
@media print{.scroll{max-height:none;overflow:visible}}
)css";

// A share is known where both numbers are.
std::string Times(double before, double after, const char* what) {
  return before > 0 && after > 0 ? Cat(FormatNumber(before / after, 2), " times ", what) : "";
}

std::string Tile(const std::string& name, const std::string& value, const std::string& small) {
  return Cat("<div><dt>", Escaped(name), "</dt><dd>", Escaped(value), "<small>", Escaped(small),
             "</small></dd></div>");
}

std::string Tiles(const PageData& data) {
  std::string out = "<dl class=\"tiles\">";
  if (!std::isnan(data.bytes_before))
    out += Tile("Size before", FormatBytes(data.bytes_before), "the float model");
  out += Tile("Size after", FormatBytes(data.bytes_after),
              Times(data.bytes_before, data.bytes_after, "smaller"));
  if (!std::isnan(data.ms_before))
    out += Tile("Run before", FormatNumber(data.ms_before, 3) + " ms", "the float model");
  if (!std::isnan(data.ms_after))
    out += Tile("Run after", FormatNumber(data.ms_after, 3) + " ms",
                Times(data.ms_before, data.ms_after, "as fast"));
  return out + "</dl>";
}

std::string Section(const char* id, const char* title, const std::string& content) {
  return Cat("<section aria-labelledby=\"", id, "\"><h2 id=\"", id, "\">", title, "</h2>", content,
             "</section>\n");
}

// Can be reached and scrolled with the keyboard.
std::string Scroll(const char* label, const std::string& content) {
  return Cat("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", label, "\">",
             content, "</div>");
}

std::string Badge(const std::string& precision) {
  if (precision.empty()) return "";
  return Cat("<span class=\"p-", precision.starts_with("INT") ? "int8" : "fp32", "\">",
             Escaped(precision), "</span>");
}

std::string Accuracy(const PageData& data) {
  std::string rows;
  for (const auto& row : data.accuracy)
    rows += Cat("<tr><th scope=\"row\">", Escaped(row[0]), "</th><td class=\"n\">", Escaped(row[1]),
                "</td><td class=\"n\">", Escaped(row[2]), "</td></tr>");
  return Cat(
      "<table><thead><tr><th scope=\"col\">Figure</th><th scope=\"col\" "
      "class=\"n\">FP32</th><th scope=\"col\" class=\"n\">Quantized</th></tr></thead><tbody>",
      rows, "</tbody></table>");
}

struct BarColumn {
  const char* title;
  double PageLayer::*value;
  bool has_cause;
};

// Bars end at 60 dB, a thousandth of noise: what is beyond hardly matters.
std::string LayerBars(const std::vector<const PageLayer*>& layers, const BarColumn& column) {
  constexpr double kFull = 60;
  std::string rows;
  for (const PageLayer* layer : layers) {
    const double value = layer->*column.value;
    const double share = std::isfinite(value) ? std::clamp(value / kFull, 0.0, 1.0) : 1.0;
    rows += Cat("<tr><th scope=\"row\">", Escaped(layer->name), "</th><td class=\"wide\">",
                Escaped(layer->op), "</td><td>", Badge(layer->precision), "</td><td class=\"n\">",
                std::isinf(value) ? "equal" : FormatNumber(value, 1),
                "</td><td class=\"bars\"><div class=\"bar\" style=\"width:",
                FormatNumber(share * 100, 1), "%\"></div>");
    if (column.has_cause)
      rows += Cat("</td><td class=\"n wide\">", FormatNumber(layer->agreement, 1),
                  "</td><td class=\"wide\">", Escaped(layer->cause));
    rows += "</td></tr>";
  }
  return Scroll(column.title,
                Cat("<table><thead><tr><th scope=\"col\">Layer</th><th scope=\"col\" "
                    "class=\"wide\">Operator</th><th scope=\"col\">Precision</th><th scope=\"col\" "
                    "class=\"n\">dB</th><th scope=\"col\">0 to 60 dB</th>",
                    column.has_cause ? "<th scope=\"col\" class=\"n wide\">Same answer %</th><th "
                                       "scope=\"col\" class=\"wide\">Likely cause</th>"
                                     : "",
                    "</tr></thead><tbody>", rows, "</tbody></table>"));
}

std::vector<const PageLayer*> With(const std::vector<PageLayer>& layers, double PageLayer::*value) {
  std::vector<const PageLayer*> found;
  for (const PageLayer& layer : layers)
    if (!std::isnan(layer.*value)) found.push_back(&layer);
  return found;
}

std::string Sensitivity(const PageData& data) {
  std::vector<const PageLayer*> ranked = With(data.layers, &PageLayer::alone_db);
  if (ranked.empty()) return "";
  std::stable_sort(ranked.begin(), ranked.end(), [](const PageLayer* a, const PageLayer* b) {
    return a->alone_db < b->alone_db;
  });
  return Section(
      "sensitivity", "Sensitivity ranking",
      Cat("<p class=\"quiet\">Signal-to-noise at the model's outputs when this layer alone "
          "is quantized: the layer that costs most comes first.</p>",
          LayerBars(ranked, {"Sensitivity ranking", &PageLayer::alone_db, true})));
}

std::string Histograms(const PageData& data) {
  if (data.histograms.empty()) return "";
  std::string out =
      "<p class=\"quiet\">Open a tensor for its values in the calibration. The shaded range "
      "between "
      "the two lines is what the integers reach; values beyond are clipped. Counts are "
      "logarithmic, zeros have a bar of their own.</p>";
  bool is_first = true;
  for (const PageHistogram& histogram : data.histograms) {
    out += Cat("<details", is_first ? " open" : "", "><summary>", Escaped(histogram.tensor),
               "</summary>", HistogramSvg(histogram), "</details>");
    is_first = false;
  }
  return Section("histograms", "Histograms and clip ranges", out);
}

std::string Frontier(const PageData& data) {
  if (data.plans.empty()) return "";
  std::string rows;
  for (size_t i = 0; i < data.plans.size(); ++i) {
    const PagePlan& plan = data.plans[i];
    rows += Cat("<tr><td class=\"n\">", i + 1, "</td><th scope=\"row\">", Escaped(plan.label),
                "</th><td class=\"n\">", FormatNumber(plan.drop, 4), "</td><td class=\"n\">",
                FormatNumber(plan.latency_ms, 3), "</td><td class=\"n\">", FormatBytes(plan.bytes),
                "</td></tr>");
  }
  return Section("frontier", "Accuracy, latency and size",
                 Cat(FrontierSvg(data.plans, data.metric),
                     "<table><thead><tr><th scope=\"col\" class=\"n\">No.</th><th "
                     "scope=\"col\">Layers</th><th scope=\"col\" class=\"n\">Loss, ",
                     Escaped(data.metric),
                     "</th><th scope=\"col\" class=\"n\">ms</th><th scope=\"col\" "
                     "class=\"n\">Size</th></tr></thead><tbody>",
                     rows, "</tbody></table>"));
}

std::string Facts(const PageData& data) {
  std::string rows;
  for (const auto& [name, value] : data.facts)
    rows += Cat("<tr><th scope=\"row\">", Escaped(name), "</th><td>", Escaped(value), "</td></tr>");
  return Section("proof", "How it was measured", Cat("<table><tbody>", rows, "</tbody></table>"));
}

}  // namespace

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : Printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string MakePage(const PageData& data) {
  std::string body = Cat("<h1>", Escaped(data.title), "</h1>", Tiles(data));
  if (!data.accuracy.empty()) body += Section("accuracy", "Accuracy", Accuracy(data));
  const auto measured = With(data.layers, &PageLayer::sqnr_db);
  if (!measured.empty())
    body +=
        Section("layers", "What each layer lost",
                Cat("<p class=\"quiet\">Signal-to-noise of each layer's result against the float "
                    "model, with all quantized layers before it. 20 dB is a tenth of "
                    "noise.</p>",
                    LayerBars(measured, {"What each layer lost", &PageLayer::sqnr_db, false})));
  body += Sensitivity(data) + Frontier(data) + Histograms(data);
  body += Section("graph", "The graph by precision",
                  Cat("<p>", Badge("INT8"), " solid border, ", Badge("FP32"),
                      " dashed border; grey boxes have no arithmetic worth quantizing.</p>",
                      Scroll("The graph by precision", GraphSvg(data.graph, data.layers))));
  body += Facts(data);
  return Cat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>",
      Escaped(data.title), "</title>\n<style>", kStyle, "</style></head>\n<body><main>\n", body,
      "</main></body></html>\n");
}

}  // namespace intmill::cli
