// Formulas from the ONNX text of Resize (opset 19), coordinate_transformation_mode.
#include "ops/common/resize_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/common/axes.h"

namespace intmill::ops {
namespace {

// The axes that scales and sizes are about; all when not named.
Result<Ints> AxesOf(const Node& node, int64_t rank) {
  Ints all(static_cast<size_t>(rank));
  std::iota(all.begin(), all.end(), 0);
  ASSIGN_OR_RETURN(const Ints named, node.attrs.Ints("axes", all));
  return NormalizeAxes(named, rank);
}

Status CheckCount(const char* what, size_t found, size_t wanted) {
  if (found == wanted) return Ok();
  return Error(Code::kShape, what, " has ", found, " values, wanted ", wanted);
}

Result<std::vector<ResizeAxis>> FromScales(const Shape& in, const Ints& axes,
                                           const std::vector<float>& scales) {
  std::vector<ResizeAxis> result;
  for (const int64_t dim : in) result.push_back({.out = dim});
  TRY(CheckCount("scales", scales.size(), axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (!(scales[i] > 0) || !std::isfinite(scales[i]))
      return Error(Code::kInvalidArgument, "scale ", scales[i], " is not positive");
    const double out = std::floor(static_cast<double>(in[axis]) * double{scales[i]});
    if (out > static_cast<double>(kMaxDim))
      return Error(Code::kShape, "dimension ", axes[i], " becomes larger than ", kMaxDim);
    result[axis] = {in[axis] == kDynamic ? kDynamic : static_cast<int64_t>(out), scales[i]};
  }
  return result;
}

Result<std::vector<ResizeAxis>> FromSizes(const Node& node, const Shape& in, const Ints& axes,
                                          const Ints& sizes) {
  std::vector<ResizeAxis> result;
  for (const int64_t dim : in) result.push_back({.out = dim});
  TRY(CheckCount("sizes", sizes.size(), axes.size()));
  ASSIGN_OR_RETURN(const std::string policy,
                   node.attrs.String("keep_aspect_ratio_policy", "stretch"));
  const bool is_open = std::ranges::any_of(
      axes, [&](int64_t axis) { return in[static_cast<size_t>(axis)] == kDynamic; });
  if (is_open && policy != "stretch") {  // one dimension decides the scale of all
    for (const int64_t axis : axes) result[static_cast<size_t>(axis)].out = kDynamic;
    return result;
  }
  std::vector<double> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t dim = in[static_cast<size_t>(axes[i])];
    if (sizes[i] < 0) return Error(Code::kInvalidArgument, "size ", sizes[i], " is negative");
    if (dim == 0) return Error(Code::kShape, "dimension ", axes[i], " is empty");
    scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(dim));
  }
  if (policy != "stretch" && !scales.empty()) {
    if (policy != "not_larger" && policy != "not_smaller")
      return Error(Code::kUnsupported, "keep_aspect_ratio_policy '", policy, "'");
    const double scale =
        policy == "not_larger" ? std::ranges::min(scales) : std::ranges::max(scales);
    std::ranges::fill(scales, scale);
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    const double exact = scales[i] * static_cast<double>(in[axis]);
    result[axis] = {policy == "stretch" ? sizes[i] : static_cast<int64_t>(std::floor(exact + 0.5)),
                    scales[i]};
  }
  return result;
}

// The input coordinate of output index x.
Result<double> Coordinate(const std::string& mode, double x, double in, const ResizeAxis& axis) {
  const auto out = static_cast<double>(axis.out);
  if (mode == "half_pixel") return (x + 0.5) / axis.scale - 0.5;
  if (mode == "pytorch_half_pixel") return out > 1 ? (x + 0.5) / axis.scale - 0.5 : 0.0;
  if (mode == "align_corners") return out > 1 ? x * (in - 1) / (out - 1) : 0.0;
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "half_pixel_symmetric") {
    // The part of the input that the rounded output covers is centred.
    const double adjustment = out / (axis.scale * in);
    return in / 2 * (1 - adjustment) + (x + 0.5) / axis.scale - 0.5;
  }
  return Error(Code::kUnsupported, "coordinate_transformation_mode '", mode, "'");
}

Result<double> Nearest(const std::string& mode, double x) {
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  return Error(Code::kUnsupported, "nearest_mode '", mode, "'");
}

int64_t Inside(double x, int64_t in) {
  return static_cast<int64_t>(std::clamp(x, 0.0, static_cast<double>(in - 1)));
}

}  // namespace

Result<std::optional<std::vector<ResizeAxis>>> ResizeAxes(const Node& node, const Shape& in,
                                                          const Tensor* scales,
                                                          const Tensor* sizes) {
  ASSIGN_OR_RETURN(const Ints axes, AxesOf(node, static_cast<int64_t>(in.size())));
  std::vector<ResizeAxis> result;
  if (scales != nullptr && scales->elements() > 0) {
    ASSIGN_OR_RETURN(const std::vector<float> values, ToFloats(*scales));
    ASSIGN_OR_RETURN(result, FromScales(in, axes, values));
  } else if (sizes != nullptr && sizes->elements() > 0) {
    ASSIGN_OR_RETURN(const Ints values, ToInts(*sizes));
    ASSIGN_OR_RETURN(result, FromSizes(node, in, axes, values));
  } else {
    return std::optional<std::vector<ResizeAxis>>();
  }
  return std::optional<std::vector<ResizeAxis>>(std::move(result));
}

Result<std::vector<native::ResizeTap>> ResizeTaps(const Node& node, int64_t in,
                                                  const ResizeAxis& axis) {
  ASSIGN_OR_RETURN(const std::string mode, node.attrs.String("mode", "nearest"));
  ASSIGN_OR_RETURN(const std::string coordinates,
                   node.attrs.String("coordinate_transformation_mode", "half_pixel"));
  ASSIGN_OR_RETURN(const std::string nearest,
                   node.attrs.String("nearest_mode", "round_prefer_floor"));
  if (mode != "nearest" && mode != "linear") return Error(Code::kUnsupported, "mode '", mode, "'");
  std::vector<native::ResizeTap> taps;
  for (int64_t i = 0; i < axis.out; ++i) {
    ASSIGN_OR_RETURN(const double x, Coordinate(coordinates, static_cast<double>(i),
                                                static_cast<double>(in), axis));
    if (mode == "nearest") {
      ASSIGN_OR_RETURN(const double at, Nearest(nearest, x));
      taps.push_back({Inside(at, in), Inside(at, in), 0});
    } else {
      const double low = std::floor(x);
      taps.push_back({Inside(low, in), Inside(low + 1, in), static_cast<float>(x - low)});
    }
  }
  return taps;
}

}  // namespace intmill::ops
