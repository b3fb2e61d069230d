// ConvTranspose: every element of the input adds its weights to a window of the output,
// y[n, m, i * stride + k * dilation - pad] += x[n, c, i] * w[c, m, k] over the channels c of m's
// group.
#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/convolution.h"
#include "ops/common/weighted.h"
#include "ops/common/window.h"

namespace intmill::ops {
namespace {

Shape KernelOf(const Shape& weights) { return {weights.begin() + 2, weights.end()}; }

Status CheckChannels(const Shape& x, const Shape& w, int64_t groups) {
  if (x.size() != w.size())
    return Error(Code::kShape, "the weights have ", w.size(), " dimensions, the input ", x.size());
  if (groups < 1) return Error(Code::kInvalidArgument, "attribute 'group' is ", groups);
  if (x[1] == kDynamic || w[0] == kDynamic) return Ok();
  if (x[1] != w[0])
    return Error(Code::kShape, "the weights have ", w[0], " input channels, the input has ", x[1]);
  if (x[1] % groups == 0) return Ok();
  return Error(Code::kShape, x[1], " input channels do not divide into ", groups, " groups");
}

Status Infer(InferContext& context) {
  const Shape* x = context.shape(0);
  const Shape* w = context.shape(1);
  std::optional<Shape> out;
  if (x != nullptr && w != nullptr) {
    ASSIGN_OR_RETURN(const int64_t groups, context.attrs().Int("group", 1));
    ASSIGN_OR_RETURN(const Shape spatial, SpatialOf(*x));
    TRY(CheckChannels(*x, *w, groups));
    ASSIGN_OR_RETURN(const Window window,
                     ReadTransposedWindow(context.attrs(), spatial, KernelOf(*w)));
    int64_t channels = kDynamic;
    if ((*w)[1] != kDynamic && !MulFits((*w)[1], groups, &channels))
      return Error(Code::kShape, groups, " groups of ", (*w)[1], " output channels");
    const Shape* bias = context.shape(2);
    if (bias != nullptr && channels != kDynamic &&
        (bias->size() != 1 || ((*bias)[0] != channels && (*bias)[0] != kDynamic)))
      return Error(Code::kShape, "the bias has shape ", ToString(*bias), ", wanted ", channels);
    out = Shape{(*x)[0], channels};
    out->insert(out->end(), window.out.begin(), window.out.end());
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

struct Problem {
  Window window;
  Shape in;  // spatial
  int64_t in_channels_per_group = 1;
  int64_t out_channels_per_group = 1;
  int64_t in_area = 1;
  int64_t out_area = 1;
  int64_t kernel_area = 1;
};

// The output that input i reaches through window element k, within a channel; -1: outside.
int64_t Target(const Problem& p, int64_t i, int64_t k) {
  int64_t offset = 0;
  int64_t stride = 1;
  for (size_t d = p.in.size(); d-- > 0;) {
    const int64_t at = i % p.in[d] * p.window.strides[d] +
                       k % p.window.kernel[d] * p.window.dilations[d] - p.window.pads_begin[d];
    if (at < 0 || at >= p.window.out[d]) return -1;
    offset += at * stride;
    stride *= p.window.out[d];
    i /= p.in[d];
    k /= p.window.kernel[d];
  }
  return offset;
}

// One output channel of one image; `x` is the first channel of its group, `w` that channel's
// weights for output m.
void ComputeChannel(const Problem& p, const float* x, const float* w, float bias, float* y) {
  std::vector<double> sums(static_cast<size_t>(p.out_area), bias);
  for (int64_t i = 0; i < p.in_area; ++i) {
    for (int64_t k = 0; k < p.kernel_area; ++k) {
      const int64_t target = Target(p, i, k);
      if (target < 0) continue;
      double& sum = sums[static_cast<size_t>(target)];
      for (int64_t c = 0; c < p.in_channels_per_group; ++c)
        sum += static_cast<double>(x[c * p.in_area + i]) *
               w[c * p.out_channels_per_group * p.kernel_area + k];
    }
  }
  for (int64_t i = 0; i < p.out_area; ++i) y[i] = static_cast<float>(sums[static_cast<size_t>(i)]);
}

Status Reference(const ReferenceArgs& args) {
  const Tensor& x = args.in(0);
  const Tensor& w = args.in(1);
  if (x.dtype() != DType::kF32 || w.dtype() != DType::kF32)
    return Error(Code::kUnsupported, "element types ", DTypeName(x.dtype()), " x ",
                 DTypeName(w.dtype()));
  if (args.out(0).elements() == 0) return Ok();
  Problem p;
  ASSIGN_OR_RETURN(p.in, SpatialOf(x.shape()));
  ASSIGN_OR_RETURN(p.window, ReadTransposedWindow(args.node.attrs, p.in, KernelOf(w.shape())));
  ASSIGN_OR_RETURN(const int64_t groups, args.node.attrs.Int("group", 1));
  p.in_channels_per_group = w.dim(0) / groups;
  p.out_channels_per_group = w.dim(1);
  p.in_area = NumElements(p.in);
  p.out_area = NumElements(p.window.out);
  p.kernel_area = NumElements(p.window.kernel);
  const int64_t channels = args.out(0).dim(1);
  const float* bias = args.has(2) ? args.in(2).data<float>() : nullptr;
  float* y = args.out(0).mutable_data<float>();
  ParallelFor(x.dim(0) * channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t m = i % channels;
      const int64_t first = m / p.out_channels_per_group * p.in_channels_per_group;
      const int64_t weights = first * p.out_channels_per_group + m % p.out_channels_per_group;
      ComputeChannel(p, x.data<float>() + (i / channels * x.dim(1) + first) * p.in_area,
                     w.data<float>() + weights * p.kernel_area, bias == nullptr ? 0 : bias[m],
                     y + i * p.out_area);
    }
  });
  return Ok();
}

Status CheckOperands(const LowerArgs& args) {
  const Operand& x = args.in(0);
  if (x.shape.size() > 5)
    return Error(Code::kUnsupported, "convolution over ", x.shape.size() - 2, " dimensions");
  if (x.layout != Layout::kChannelsLast || args.out(0).layout != Layout::kChannelsLast)
    return Error(Code::kUnsupported, "images that are not channels-last");
  if (NumElements(x.shape) == 0 || NumElements(args.out(0).shape) == 0)
    return Error(Code::kUnsupported, "no elements");
  return CheckWeightedTypes(args);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(CheckOperands(args));
  const Operand& x = args.in(0);
  const Shape& w = args.in(1).shape;
  Convolution c{.transposed = true, .batch = x.shape[0], .in_channels = x.shape[1]};
  ASSIGN_OR_RETURN(c.in, SpatialOf(x.shape));
  ASSIGN_OR_RETURN(const Window window, ReadTransposedWindow(args.node.attrs, c.in, KernelOf(w)));
  ASSIGN_OR_RETURN(c.groups, args.node.attrs.Int("group", 1));
  c.out_channels = w[1] * c.groups;
  c.out = window.out;
  c.kernel = window.kernel;
  c.strides = window.strides;
  c.dilations = window.dilations;
  c.pads = window.pads_begin;
  ASSIGN_OR_RETURN(const Weights weights, ReadWeights(args.in(1), 1));
  ASSIGN_OR_RETURN(RealSum sum, MakeRealSum(args, weights, c.out_channels));
  sum.channels = c.out_channels;
  if (args.has(2)) {
    ASSIGN_OR_RETURN(sum.bias, ReadBias(args.in(2)));
  }
  ASSIGN_OR_RETURN(c.epilogue, MakeEpilogue(args, sum));
  c.in_dtype = x.dtype;
  c.out_dtype = RoundedOutput(args).dtype;
  c.weights = weights.tensor.data<void>();
  c.weight_dtype = weights.tensor.dtype();
  c.weight_zero_points = weights.zero_points;
  if (IsQuantized8(x.dtype)) {
    c.in_zero_point = x.qparams->zero_points[0];
    TRY(CheckDepth(NumElements(c.kernel) * (w[0] / c.groups)));
  }
  return MakeConvolution(c, args.isa);
}

// Groups share scales: there is one per output channel of a group.
int64_t WeightAxis(const Node&, int64_t) { return 1; }

// Every input element is spread over the window and the output channels of its group.
double MultiplyAdds(const LowerArgs& args) {
  const Shape& w = args.in(1).shape;
  return CountProducts(args.in(0).shape, {w.begin() + 1, w.end()});
}

constexpr OpDef kOps[] = {{
    .name = "ConvTranspose",
    .min_inputs = 2,
    .max_inputs = 3,
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kWeighted,
    .weight_axis = WeightAxis,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> ConvTransposeOps() { return kOps; }

}  // namespace intmill::ops
