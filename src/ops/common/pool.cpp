// Pools: what the windowed and the global ones share.
#include "ops/common/pool.h"

#include "ops/common/post_ops.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

struct Axis {
  std::vector<int64_t> inside;  // indices of a window that lie in the image
  int64_t counted = 0;          // those that lie in the image or its padding
};

Axis AxisOf(const Window& w, size_t d, int64_t in, int64_t out) {
  Axis axis;
  for (int64_t k = 0; k < w.kernel[d]; ++k) {
    const int64_t i = out * w.strides[d] + k * w.dilations[d] - w.pads_begin[d];
    if (i >= 0 && i < in) axis.inside.push_back(i);
    if (i < in + w.pads_end[d]) ++axis.counted;
  }
  return axis;
}

// The window of one output position: offsets within a channel.
void Collect(const Shape& x, const Window& w, int64_t position, std::vector<int64_t>& offsets,
             int64_t& counted) {
  const size_t rank = w.kernel.size();
  std::vector<Axis> axes(rank);
  counted = 1;
  for (size_t d = rank; d-- > 0;) {
    axes[d] = AxisOf(w, d, x[d + 2], position % w.out[d]);
    position /= w.out[d];
    counted *= axes[d].counted;
  }
  offsets.assign(1, 0);
  for (size_t d = 0; d < rank; ++d) {
    std::vector<int64_t> next;
    for (const int64_t offset : offsets)
      for (const int64_t i : axes[d].inside) next.push_back(offset * x[d + 2] + i);
    offsets = std::move(next);
  }
}

Result<native::Pool> PoolOf(const LowerArgs& args, PoolArea area) {
  const Operand& x = args.in(0);
  const Operand& out = args.out(0);
  if (x.dtype != out.dtype)
    return Error(Code::kUnsupported, "element types ", DTypeName(x.dtype), " to ",
                 DTypeName(out.dtype));
  if (x.layout != Layout::kChannelsLast || x.shape.size() > 5)
    return Error(Code::kUnsupported, "images that are not channels-last");
  if (NumElements(x.shape) == 0 || NumElements(out.shape) == 0)
    return Error(Code::kUnsupported, "no elements");
  ASSIGN_OR_RETURN(const Window w, PoolWindow(args.node.attrs, x.shape, area));
  return native::Pool{.batch = x.shape[0],
                      .channels = x.shape[1],
                      .in = {x.shape.begin() + 2, x.shape.end()},
                      .out = w.out,
                      .kernel = w.kernel,
                      .strides = w.strides,
                      .dilations = w.dilations,
                      .pads_begin = w.pads_begin,
                      .pads_end = w.pads_end,
                      .dtype = x.dtype};
}

}  // namespace

Result<Window> PoolWindow(const Attributes& attrs, const Shape& x, PoolArea area) {
  ASSIGN_OR_RETURN(const Shape spatial, SpatialOf(x));
  if (area == PoolArea::kWindow) return ReadWindow(attrs, spatial, {});
  const Shape ones(spatial.size(), 1);
  const Shape zeros(spatial.size(), 0);
  return Window{.kernel = spatial,
                .strides = ones,
                .dilations = ones,
                .pads_begin = zeros,
                .pads_end = zeros,
                .out = ones};
}

Status InferPool(InferContext& context, PoolArea area) {
  const Shape* x = context.shape(0);
  std::optional<Shape> out;
  if (x != nullptr) {
    ASSIGN_OR_RETURN(const Window window, PoolWindow(context.attrs(), *x, area));
    out = Shape{(*x)[0], (*x)[1]};
    out->insert(out->end(), window.out.begin(), window.out.end());
  }
  for (int64_t i = 0; i < context.output_count(); ++i)
    context.SetOutput(i, i == 0 ? context.dtype(0) : DType::kS64, out);
  return Ok();
}

void ForPoolWindows(const Shape& x, const Window& window, const PoolElement& fn) {
  int64_t in_area = 1;
  for (size_t d = 2; d < x.size(); ++d) in_area *= x[d];
  const int64_t out_area = NumElements(window.out);
  std::vector<int64_t> offsets;
  for (int64_t position = 0; position < out_area; ++position) {
    int64_t counted = 0;
    Collect(x, window, position, offsets, counted);
    for (int64_t channel = 0; channel < x[0] * x[1]; ++channel)
      fn(channel * out_area + position, channel * in_area, offsets, counted);
  }
}

Status AverageReference(const ReferenceArgs& args, PoolArea area, bool count_padding) {
  const Tensor& x = args.in(0);
  if (x.dtype() != DType::kF32) return UnsupportedType(x.dtype());
  ASSIGN_OR_RETURN(const Window window, PoolWindow(args.node.attrs, x.shape(), area));
  float* y = args.out(0).mutable_data<float>();
  ForPoolWindows(
      x.shape(), window,
      [&](int64_t out, int64_t start, const std::vector<int64_t>& offsets, int64_t counted) {
        double sum = 0;
        for (const int64_t offset : offsets) sum += x.data<float>()[start + offset];
        const auto inside = static_cast<int64_t>(offsets.size());
        const int64_t n = std::max<int64_t>(count_padding ? counted : inside, 1);
        y[out] = static_cast<float>(sum / static_cast<double>(n));
      });
  return Ok();
}

Result<std::unique_ptr<Kernel>> LowerMaxPool(const LowerArgs& args, PoolArea area) {
  TRY(RefusePostOps(args.node));
  if (args.outputs.size() > 1 && args.out(1).present)
    return Error(Code::kUnsupported, "output Indices");
  ASSIGN_OR_RETURN(const native::Pool pool, PoolOf(args, area));
  return native::MakePool(pool, args.isa);
}

Result<std::unique_ptr<Kernel>> LowerAveragePool(const LowerArgs& args, PoolArea area,
                                                 bool count_padding) {
  ASSIGN_OR_RETURN(native::Pool pool, PoolOf(args, area));
  ASSIGN_OR_RETURN(const Clamp clamp, ClampOfPostOps(args.node));
  pool.is_average = true;
  pool.count_padding = count_padding;
  pool.low = clamp.low;
  pool.high = clamp.high;
  if (pool.dtype == DType::kF32) return native::MakePool(pool, args.isa);
  const QParams* in = args.in(0).qparams;
  const QParams* out = args.out(0).qparams;
  if (in == nullptr || out == nullptr || !in->per_tensor() || !out->per_tensor())
    return Error(Code::kUnsupported, "8-bit averages without one scale each");
  pool.ratio = static_cast<double>(in->scales[0]) / out->scales[0];
  pool.in_zero_point = in->zero_points[0];
  pool.out_zero_point = out->zero_points[0];
  pool.low /= out->scales[0];
  pool.high /= out->scales[0];
  return native::MakePool(pool, args.isa);
}

}  // namespace intmill::ops
