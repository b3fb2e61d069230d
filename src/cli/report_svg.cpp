// The pictures of the report: histogram, frontier, graph. Colours are classes of the page's style,
// and nothing is said by colour alone.
#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/console.h"
#include "cli/error.h"
#include "cli/report_page.h"

namespace intmill::cli {
namespace {

std::string Short(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

std::string Px(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string Open(double width, double height, const std::string& title) {
  return Cat("<svg role=\"img\" viewBox=\"0 0 ", Px(width), " ", Px(height), "\" aria-label=\"",
             Escaped(title), "\"><title>", Escaped(title), "</title>");
}

std::string TextAt(double x, double y, const char* anchor, const std::string& text) {
  return Cat("<text x=\"", Px(x), "\" y=\"", Px(y), "\" text-anchor=\"", anchor, "\">",
             Escaped(text), "</text>");
}

std::string Line(double x1, double y1, double x2, double y2, const char* style) {
  return Cat("<line class=\"", style, "\" x1=\"", Px(x1), "\" y1=\"", Px(y1), "\" x2=\"", Px(x2),
             "\" y2=\"", Px(y2), "\"/>");
}

// From values to pixels.
struct Axis {
  double low;
  double high;
  double from;
  double to;
  double At(double x) const {
    return high > low ? from + (x - low) / (high - low) * (to - from) : (from + to) / 2;
  }
};

Axis Fit(const std::vector<double>& values, double from, double to) {
  Axis axis{0, 0, from, to};
  if (values.empty()) return axis;
  axis.low = *std::min_element(values.begin(), values.end());
  axis.high = *std::max_element(values.begin(), values.end());
  const double margin = std::max((axis.high - axis.low) * 0.08, 1e-12);
  axis.low -= margin;
  axis.high += margin;
  return axis;
}

constexpr double kNodeWidth = 168;
constexpr double kNodeHeight = 40;
constexpr double kColumn = 188;
constexpr double kRow = 62;

struct Place {
  double x = 0;
  double y = 0;
};

// A row a step of the longest way from an input, and in a row the order of the graph.
class GraphPicture {
 public:
  GraphPicture(const std::vector<LayerInfo>& graph, const std::vector<PageLayer>& layers)
      : graph_(graph) {
    for (const PageLayer& layer : layers) precision_[layer.name] = layer.precision;
    for (size_t i = 0; i < graph_.size(); ++i)
      for (const std::string& output : graph_[i].outputs) maker_[output] = i;
    Arrange();
  }

  std::string Draw() const {
    std::string out = Open(width_, height_,
                           "The graph of the model, from its inputs at the top to "
                           "its outputs; each box has a layer, its operator and "
                           "its precision");
    out.insert(4, Cat(" width=\"", Px(width_), "\" height=\"", Px(height_), "\""));
    for (size_t i = 0; i < graph_.size(); ++i)
      for (const std::string& input : graph_[i].inputs)
        if (const auto maker = maker_.find(input); maker != maker_.end())
          out += Edge(places_[maker->second], places_[i]);
    for (size_t i = 0; i < graph_.size(); ++i) out += Node(i);
    return out + "</svg>";
  }

 private:
  void Arrange() {
    std::vector<int> depth(graph_.size(), 0);
    std::map<int, int> in_row;
    for (size_t i = 0; i < graph_.size(); ++i) {
      for (const std::string& input : graph_[i].inputs)
        if (const auto maker = maker_.find(input); maker != maker_.end() && maker->second < i)
          depth[i] = std::max(depth[i], depth[maker->second] + 1);
      const int column = in_row[depth[i]]++;
      places_.push_back({8 + kColumn * column, 8 + kRow * depth[i]});
      width_ = std::max(width_, places_.back().x + kNodeWidth + 8);
      height_ = std::max(height_, places_.back().y + kNodeHeight + 8);
    }
  }

  static std::string Edge(const Place& from, const Place& to) {
    const double x1 = from.x + kNodeWidth / 2;
    const double y1 = from.y + kNodeHeight;
    const double x2 = to.x + kNodeWidth / 2;
    const double bend = (to.y - y1) / 2;
    return Cat("<path class=\"edge\" d=\"M", Px(x1), " ", Px(y1), " C", Px(x1), " ", Px(y1 + bend),
               " ", Px(x2), " ", Px(to.y - bend), " ", Px(x2), " ", Px(to.y), "\"/>");
  }

  std::string Node(size_t i) const {
    const LayerInfo& layer = graph_[i];
    const auto found = precision_.find(layer.name);
    const std::string precision = found == precision_.end() ? "" : found->second;
    const char* const style = precision.empty()              ? "none"
                              : precision.starts_with("INT") ? "int8"
                                                             : "fp32";
    const Place& place = places_[i];
    std::string name = layer.name.empty() ? layer.outputs.front() : layer.name;
    const std::string full =
        Cat(name, " (", layer.op, ")", precision.empty() ? "" : ": ", precision);
    if (name.size() > 24) name = "..." + name.substr(name.size() - 21);
    return Cat("<g><title>", Escaped(full), "</title><rect class=\"", style, "\" x=\"", Px(place.x),
               "\" y=\"", Px(place.y), "\" width=\"", Px(kNodeWidth), "\" height=\"",
               Px(kNodeHeight), "\" rx=\"5\"/>",
               TextAt(place.x + kNodeWidth / 2, place.y + 16, "middle", name),
               TextAt(place.x + kNodeWidth / 2, place.y + 32, "middle",
                      Cat(layer.op, precision.empty() ? "" : ", ", precision)),
               "</g>");
  }

  const std::vector<LayerInfo>& graph_;
  std::map<std::string, std::string> precision_;
  std::map<std::string, size_t> maker_;
  std::vector<Place> places_;
  double width_ = 0;
  double height_ = 0;
};

}  // namespace

std::string HistogramSvg(const PageHistogram& h) {
  constexpr double kWidth = 640;
  constexpr double kHeight = 200;
  constexpr double kBase = 160;
  std::vector<double> ends = {h.low, h.high};
  double most = 1;
  for (const PageBin& bin : h.bins) {
    ends.push_back(bin.begin);
    ends.push_back(bin.end);
    most = std::max(most, bin.count);
  }
  const Axis x = Fit(ends, 10, kWidth - 10);
  std::string out = Open(kWidth, kHeight,
                         Cat("Histogram of ", h.tensor,
                             ", its counts on a logarithmic scale; the "
                             "integers reach from ",
                             Short(h.low), " to ", Short(h.high)));
  out += Cat("<rect class=\"clip\" x=\"", Px(x.At(h.low)), "\" y=\"12\" width=\"",
             Px(x.At(h.high) - x.At(h.low)), "\" height=\"", Px(kBase - 12), "\"/>");
  for (const PageBin& bin : h.bins) {
    const double height = std::max(1.0, std::log1p(bin.count) / std::log1p(most) * (kBase - 24));
    const double width = std::max(1.5, x.At(bin.end) - x.At(bin.begin) - 0.5);
    out += Cat("<rect class=\"", bin.end > bin.begin ? "bin" : "zero", "\" x=\"",
               Px(x.At(bin.begin)), "\" y=\"", Px(kBase - height), "\" width=\"", Px(width),
               "\" height=\"", Px(height), "\"/>");
  }
  out += Line(10, kBase, kWidth - 10, kBase, "axis");
  out += Line(x.At(h.low), 12, x.At(h.low), kBase + 6, "limit");
  out += Line(x.At(h.high), 12, x.At(h.high), kBase + 6, "limit");
  out += TextAt(std::max(x.At(h.low), 24.0), kBase + 22, "middle", Short(h.low));
  out += TextAt(std::min(x.At(h.high), kWidth - 28), kBase + 22, "middle", Short(h.high));
  return out + "</svg>";
}

std::string FrontierSvg(const std::vector<PagePlan>& plans, const std::string& metric) {
  constexpr double kWidth = 640;
  constexpr double kHeight = 300;
  std::vector<double> times;
  std::vector<double> drops;
  double largest = 1;
  for (const PagePlan& plan : plans) {
    times.push_back(plan.latency_ms);
    drops.push_back(plan.drop);
    largest = std::max(largest, plan.bytes);
  }
  const Axis x = Fit(times, 70, kWidth - 20);
  const Axis y = Fit(drops, kHeight - 50, 20);
  std::string out = Open(kWidth, kHeight,
                         "Plans by latency (to the right) and loss (upwards); larger circles are "
                         "larger files. The table below has the same figures");
  out += Line(70, 20, 70, kHeight - 50, "axis") +
         Line(70, kHeight - 50, kWidth - 20, kHeight - 50, "axis");
  for (size_t i = 0; i < plans.size(); ++i) {
    const PagePlan& plan = plans[i];
    const double radius = 4 + 10 * std::sqrt(plan.bytes / largest);
    out += Cat("<g><title>", Escaped(plan.label), "</title><circle class=\"plan\" cx=\"",
               Px(x.At(plan.latency_ms)), "\" cy=\"", Px(y.At(plan.drop)), "\" r=\"", Px(radius),
               "\"/>", TextAt(x.At(plan.latency_ms), y.At(plan.drop) + 4, "middle", Cat(i + 1)),
               "</g>");
  }
  out += TextAt(kWidth - 20, kHeight - 12, "end", "latency, ms");
  out += TextAt(70, 14, "start", Cat("loss, ", metric));
  if (!plans.empty()) {
    const auto ends = [](const std::vector<double>& v) {
      return std::minmax_element(v.begin(), v.end());
    };
    const auto [first, last] = ends(times);
    const auto [least, most] = ends(drops);
    out += TextAt(x.At(*first), kHeight - 32, "middle", Short(*first));
    if (*last > *first) out += TextAt(x.At(*last), kHeight - 32, "middle", Short(*last));
    out += TextAt(62, y.At(*least) + 4, "end", Short(*least));
    if (*most > *least) out += TextAt(62, y.At(*most) + 4, "end", Short(*most));
  }
  return out + "</svg>";
}

std::string GraphSvg(const std::vector<LayerInfo>& graph, const std::vector<PageLayer>& layers) {
  return GraphPicture(graph, layers).Draw();
}

}  // namespace intmill::cli
