// Resize: nearest and linear interpolation.
#include "ops/common/axes.h"
#include "ops/common/layout.h"
#include "ops/common/movement.h"
#include "ops/common/resize_grid.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

enum Inputs : int64_t { kX = 0, kRoi = 1, kScales = 2, kSizes = 3 };

Status RefuseAntialias(const Node& node) {
  ASSIGN_OR_RETURN(const int64_t antialias, node.attrs.Int("antialias", 0));
  return antialias == 0 ? Ok() : Error(Code::kUnsupported, "antialias");
}

Status Infer(InferContext& context) {
  TRY(RefuseAntialias(context.node()));
  const Shape* in = context.shape(kX);
  std::optional<Shape> out;
  if (in != nullptr) {
    out = Unknown(static_cast<int64_t>(in->size()));
    ASSIGN_OR_RETURN(const auto axes, ResizeAxes(context.node(), *in, context.constant(kScales),
                                                 context.constant(kSizes)));
    for (size_t d = 0; axes && d < in->size(); ++d) (*out)[d] = (*axes)[d].out;
  }
  context.SetOutput(0, context.dtype(kX), std::move(out));
  return Ok();
}

// Dimensions in row-major order; one that neither changes its size nor moves has no taps.
Result<std::vector<native::ResizeDim>> DimsOf(const Node& node, const Shape& in,
                                              const Tensor* scales, const Tensor* sizes) {
  ASSIGN_OR_RETURN(const auto axes, ResizeAxes(node, in, scales, sizes));
  if (!axes) return Error(Code::kUnsupported, "neither scales nor sizes are known");
  std::vector<native::ResizeDim> dims;
  for (size_t d = 0; d < in.size(); ++d) {
    dims.push_back({.in = in[d], .out = (*axes)[d].out});
    if ((*axes)[d].out == in[d] && (*axes)[d].scale == 1) continue;
    ASSIGN_OR_RETURN(dims.back().taps, ResizeTaps(node, in[d], (*axes)[d]));
  }
  return dims;
}

// The weighted sum of the corners, dimension after dimension.
template <typename T>
double Interpolate(const T* x, const std::vector<native::ResizeDim>& dims, const Shape& strides,
                   const Shape& index, size_t d) {
  if (d == dims.size()) return static_cast<double>(*x);
  const int64_t i = index[d];
  if (dims[d].taps.empty()) return Interpolate(x + i * strides[d], dims, strides, index, d + 1);
  const native::ResizeTap& tap = dims[d].taps[static_cast<size_t>(i)];
  const double low = Interpolate(x + tap.low * strides[d], dims, strides, index, d + 1);
  if (tap.weight == 0) return low;
  const double high = Interpolate(x + tap.high * strides[d], dims, strides, index, d + 1);
  return low + (high - low) * double{tap.weight};
}

Status Reference(const ReferenceArgs& args) {
  const Tensor& x = args.in(kX);
  Tensor& y = args.out(0);
  ASSIGN_OR_RETURN(const auto dims,
                   DimsOf(args.node, x.shape(), args.has(kScales) ? &args.in(kScales) : nullptr,
                          args.has(kSizes) ? &args.in(kSizes) : nullptr));
  const Shape strides = RowMajorStrides(x.shape());
  const Shape out_strides = RowMajorStrides(y.shape());
  return ForType<float, uint8_t, int8_t, int32_t, int64_t>(x.dtype(), [&]<typename T>(T) {
    Shape index(dims.size());
    for (int64_t i = 0; i < y.elements(); ++i) {
      for (size_t d = 0; d < index.size(); ++d) index[d] = i / out_strides[d] % y.shape()[d];
      const double value = Interpolate(x.data<T>(), dims, strides, index, 0);
      y.mutable_data<T>()[i] = static_cast<T>(value);
    }
    return Ok();
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  const Operand& x = args.in(kX);
  if (!args.node.post_ops.empty()) return Error(Code::kUnsupported, "post-ops after Resize");
  if (x.dtype != DType::kF32 && x.qparams == nullptr) return UnsupportedType(x.dtype);
  TRY(CheckSameScale(x, args.out(0)));
  ASSIGN_OR_RETURN(const auto dims, DimsOf(args.node, x.shape,
                                           args.has(kScales) ? args.in(kScales).constant : nullptr,
                                           args.has(kSizes) ? args.in(kSizes).constant : nullptr));
  native::Resize resize{.dtype = x.dtype};
  for (const int64_t axis : MemoryOrder(static_cast<int64_t>(dims.size()), x.layout))
    resize.dims.push_back(dims[static_cast<size_t>(axis)]);
  if (x.qparams != nullptr) resize.zero_point = x.qparams->zero_points[0];
  return native::MakeResize(std::move(resize), args.isa);
}

// Opset 10 had x and scales only, coordinates x / scale, and rounded down.
Status Upgrade(Graph&, Node& node, int64_t opset) {
  if (opset >= 11) return Ok();
  node.inputs = {node.inputs[0], kNoValue, node.inputs.size() > 1 ? node.inputs[1] : kNoValue};
  node.attrs.Set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attrs.Set("nearest_mode", std::string("floor"));
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Resize",
    .max_inputs = 4,
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> ResizeOps() { return kOps; }

}  // namespace intmill::ops
