// Sliding windows: the attributes that convolutions and pools share, checked and resolved.
#include "ops/common/window.h"

#include <algorithm>

namespace intmill::ops {
namespace {

// Products of two of these fit in 63 bits with room for sums.
constexpr int64_t kMaxValue = int64_t{1} << 24;

enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

Result<AutoPad> ReadAutoPad(const Attributes& attrs) {
  ASSIGN_OR_RETURN(const std::string text, attrs.String("auto_pad", "NOTSET"));
  if (text == "NOTSET" || text.empty()) return AutoPad::kNotSet;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  if (text == "VALID") return AutoPad::kValid;
  return Error(Code::kInvalidArgument, "attribute 'auto_pad' is '", text,
               "', wanted NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

// As many values as wanted, each within bounds.
Result<Shape> ReadValues(const Attributes& attrs, std::string_view name, size_t wanted,
                         int64_t fallback, int64_t lowest) {
  ASSIGN_OR_RETURN(Shape values, attrs.Ints(name, Shape(wanted, fallback)));
  if (values.empty()) values.assign(wanted, fallback);
  if (values.size() != wanted)
    return Error(Code::kInvalidArgument, "attribute '", name, "' has ", values.size(),
                 " values, wanted ", wanted);
  for (const int64_t value : values)
    if (value < lowest || value > kMaxValue)
      return Error(Code::kInvalidArgument, "attribute '", name, "' has the value ", value,
                   ", wanted ", lowest, " to ", kMaxValue);
  return values;
}

Result<Shape> ReadKernel(const Attributes& attrs, size_t rank, const Shape& kernel) {
  if (kernel.empty() && !attrs.Has("kernel_shape"))
    return Error(Code::kInvalidArgument, "attribute 'kernel_shape' is missing");
  if (!attrs.Has("kernel_shape")) return kernel;
  ASSIGN_OR_RETURN(Shape read, ReadValues(attrs, "kernel_shape", rank, 1, 1));
  for (size_t i = 0; i < kernel.size(); ++i)
    if (kernel[i] != kDynamic && kernel[i] != read[i])
      return Error(Code::kShape, "attribute 'kernel_shape' is ", ToString(read),
                   ", the weights have ", ToString(kernel));
  return read;
}

// What both kinds of windows have.
Result<Window> ReadCommon(const Attributes& attrs, const Shape& spatial, const Shape& kernel) {
  const size_t rank = spatial.size();
  if (!kernel.empty() && kernel.size() != rank)
    return Error(Code::kShape, "the weights have ", kernel.size(),
                 " spatial dimensions, the input ", rank);
  Window w;
  ASSIGN_OR_RETURN(w.kernel, ReadKernel(attrs, rank, kernel));
  for (const int64_t k : w.kernel)
    if (k == 0 || k < kDynamic || k > kMaxValue)
      return Error(Code::kShape, "a kernel of ", ToString(w.kernel));
  ASSIGN_OR_RETURN(w.strides, ReadValues(attrs, "strides", rank, 1, 1));
  ASSIGN_OR_RETURN(w.dilations, ReadValues(attrs, "dilations", rank, 1, 1));
  ASSIGN_OR_RETURN(const Shape pads, ReadValues(attrs, "pads", 2 * rank, 0, 0));
  w.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
  w.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
  w.out.assign(rank, kDynamic);
  return w;
}

// SAME_UPPER puts the odd element of padding at the end, SAME_LOWER at the start.
void SplitPadding(Window& w, size_t i, int64_t total, bool more_at_start) {
  const int64_t half = total / 2;
  w.pads_begin[i] = more_at_start ? total - half : half;
  w.pads_end[i] = more_at_start ? half : total - half;
}

Status ResolveDimension(Window& w, size_t i, int64_t in, AutoPad auto_pad, bool ceil_mode) {
  if (auto_pad != AutoPad::kNotSet) w.pads_begin[i] = w.pads_end[i] = 0;
  if (in == kDynamic || w.kernel[i] == kDynamic) return Ok();
  if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
    w.out[i] = (in + w.strides[i] - 1) / w.strides[i];
    const int64_t total = std::max<int64_t>(0, (w.out[i] - 1) * w.strides[i] + w.Extent(i) - in);
    SplitPadding(w, i, total, auto_pad == AutoPad::kSameLower);
    return Ok();
  }
  const int64_t room = in + w.pads_begin[i] + w.pads_end[i] - w.Extent(i);
  if (room < 0)
    return Error(Code::kShape, "a window of ", w.Extent(i), " does not fit in dimension ", i + 2,
                 ", which has ", in, " elements and ", w.pads_begin[i] + w.pads_end[i],
                 " of padding");
  w.out[i] = room / w.strides[i] + 1;
  // Windows that would start in the padding at the end are ignored.
  if (ceil_mode && room % w.strides[i] != 0 && w.out[i] * w.strides[i] < in + w.pads_begin[i])
    ++w.out[i];
  return Ok();
}

}  // namespace

Result<Window> ReadWindow(const Attributes& attrs, const Shape& spatial, const Shape& kernel) {
  ASSIGN_OR_RETURN(Window w, ReadCommon(attrs, spatial, kernel));
  ASSIGN_OR_RETURN(const AutoPad auto_pad, ReadAutoPad(attrs));
  ASSIGN_OR_RETURN(const int64_t ceil_mode, attrs.Int("ceil_mode", 0));
  for (size_t i = 0; i < spatial.size(); ++i)
    TRY(ResolveDimension(w, i, spatial[i], auto_pad, ceil_mode != 0));
  return w;
}

Result<Window> ReadTransposedWindow(const Attributes& attrs, const Shape& spatial,
                                    const Shape& kernel) {
  const size_t rank = spatial.size();
  ASSIGN_OR_RETURN(Window w, ReadCommon(attrs, spatial, kernel));
  ASSIGN_OR_RETURN(const AutoPad auto_pad, ReadAutoPad(attrs));
  ASSIGN_OR_RETURN(const Shape extra, ReadValues(attrs, "output_padding", rank, 0, 0));
  Shape wanted;
  if (attrs.Has("output_shape")) {
    ASSIGN_OR_RETURN(wanted, ReadValues(attrs, "output_shape", rank, 1, 1));
  }
  const bool same = auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower;
  for (size_t i = 0; i < rank; ++i) {
    if (auto_pad != AutoPad::kNotSet) w.pads_begin[i] = w.pads_end[i] = 0;
    if (!wanted.empty()) w.out[i] = wanted[i];
    if (spatial[i] == kDynamic || w.kernel[i] == kDynamic) continue;
    const int64_t full = (spatial[i] - 1) * w.strides[i] + extra[i] + w.Extent(i);
    if (wanted.empty() && same) w.out[i] = spatial[i] * w.strides[i];
    if (!wanted.empty() || same) {
      // The published formula: with anything but SAME_UPPER the odd element goes to the start.
      SplitPadding(w, i, std::max<int64_t>(0, full - w.out[i]), auto_pad != AutoPad::kSameUpper);
    } else {
      w.out[i] = full - w.pads_begin[i] - w.pads_end[i];
    }
    if (w.out[i] <= 0)
      return Error(Code::kShape, "padding of ", w.pads_begin[i] + w.pads_end[i],
                   " leaves nothing of dimension ", i + 2, ", which has ", full, " elements");
  }
  return w;
}

Status CheckSpatialRank(const Shape& shape) {
  if (shape.size() >= 3) return Ok();
  return Error(Code::kShape, "the input has ", shape.size(), " dimensions, wanted at least 3");
}

Result<Shape> SpatialOf(const Shape& shape) {
  TRY(CheckSpatialRank(shape));
  return Shape(shape.begin() + 2, shape.end());
}

}  // namespace intmill::ops
