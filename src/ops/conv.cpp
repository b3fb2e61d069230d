// Conv: sliding dot products, y[n, m, o] = bias[m] + sum x[n, c, o * stride + k * dilation - pad] *
// w[m, c, k] over the channels c of m's group and the window k.
#include <algorithm>

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
  if (w[0] != kDynamic && w[0] % groups != 0)
    return Error(Code::kShape, w[0], " output channels do not divide into ", groups, " groups");
  if (x[1] == kDynamic || w[1] == kDynamic) return Ok();
  if (x[1] % groups == 0 && x[1] / groups == w[1]) return Ok();
  return Error(Code::kShape, "the weights have ", w[1], " input channels in each of ", groups,
               " groups, the input has ", x[1]);
}

Status CheckBias(const InferContext& context, int64_t channels) {
  const Shape* bias = context.shape(2);
  if (bias == nullptr) return Ok();
  if (bias->size() == 1 &&
      ((*bias)[0] == channels || (*bias)[0] == kDynamic || channels == kDynamic))
    return Ok();
  return Error(Code::kShape, "the bias has shape ", ToString(*bias), ", wanted ", channels);
}

Status Infer(InferContext& context) {
  const Shape* x = context.shape(0);
  const Shape* w = context.shape(1);
  std::optional<Shape> out;
  if (x != nullptr && w != nullptr) {
    ASSIGN_OR_RETURN(const int64_t groups, context.attrs().Int("group", 1));
    ASSIGN_OR_RETURN(const Shape spatial, SpatialOf(*x));
    TRY(CheckChannels(*x, *w, groups));
    TRY(CheckBias(context, (*w)[0]));
    ASSIGN_OR_RETURN(const Window window, ReadWindow(context.attrs(), spatial, KernelOf(*w)));
    out = Shape{(*x)[0], (*w)[0]};
    out->insert(out->end(), window.out.begin(), window.out.end());
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// Steps through the indices of `shape`, last dimension fastest.
bool Next(Shape& index, const Shape& shape) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

struct Problem {
  Window window;
  Shape in;  // spatial
  int64_t groups = 1;
  int64_t in_channels_per_group = 1;
  int64_t out_channels_per_group = 1;
  int64_t in_area = 1;
  int64_t kernel_area = 1;
};

// Offset of a window's element within one channel, or -1 in the padding.
int64_t Offset(const Problem& p, const Shape& out, const Shape& k) {
  int64_t offset = 0;
  for (size_t d = 0; d < p.in.size(); ++d) {
    const int64_t i =
        out[d] * p.window.strides[d] + k[d] * p.window.dilations[d] - p.window.pads_begin[d];
    if (i < 0 || i >= p.in[d]) return -1;
    offset = offset * p.in[d] + i;
  }
  return offset;
}

// All elements of output channel m of one image; `x` is the first channel of m's group. A tap's
// places are worked out once for all channels that it meets.
void ComputeChannel(const Problem& p, const float* x, const float* w, float bias, float* y) {
  struct Place {
    int64_t out;
    int64_t in;
  };
  std::vector<double> sums(static_cast<size_t>(NumElements(p.window.out)), bias);
  double* sum = sums.data();
  std::vector<Place> places;
  Shape k(p.in.size(), 0);
  do {
    places.clear();
    Shape out(p.in.size(), 0);
    int64_t at = 0;
    do {
      const int64_t offset = Offset(p, out, k);
      if (offset >= 0) places.push_back({at, offset});
      ++at;
    } while (Next(out, p.window.out));
    for (int64_t c = 0; c < p.in_channels_per_group; ++c) {
      const double weight = w[c * p.kernel_area];
      const float* plane = x + c * p.in_area;
      for (const Place& place : places) sum[place.out] += weight * plane[place.in];
    }
    ++w;
  } while (Next(k, p.window.kernel));
  std::ranges::transform(sums, y, [](double s) { return static_cast<float>(s); });
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
  ASSIGN_OR_RETURN(p.window, ReadWindow(args.node.attrs, p.in, KernelOf(w.shape())));
  ASSIGN_OR_RETURN(p.groups, args.node.attrs.Int("group", 1));
  p.in_channels_per_group = w.dim(1);
  p.out_channels_per_group = w.dim(0) / p.groups;
  p.in_area = NumElements(p.in);
  p.kernel_area = NumElements(p.window.kernel);
  const int64_t out_area = NumElements(p.window.out);
  const float* bias = args.has(2) ? args.in(2).data<float>() : nullptr;
  float* y = args.out(0).mutable_data<float>();
  ParallelFor(x.dim(0) * w.dim(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / w.dim(0);
      const int64_t m = i % w.dim(0);
      const int64_t first = n * x.dim(1) + m / p.out_channels_per_group * p.in_channels_per_group;
      ComputeChannel(p, x.data<float>() + first * p.in_area,
                     w.data<float>() + m * p.in_channels_per_group * p.kernel_area,
                     bias == nullptr ? 0 : bias[m], y + i * out_area);
    }
  });
  return Ok();
}

Status CheckOperands(const LowerArgs& args) {
  const Operand& x = args.in(0);
  const Operand& out = args.out(0);
  if (x.shape.size() > 5)
    return Error(Code::kUnsupported, "convolution over ", x.shape.size() - 2, " dimensions");
  if (x.layout != Layout::kChannelsLast || out.layout != Layout::kChannelsLast)
    return Error(Code::kUnsupported, "images that are not channels-last");
  if (NumElements(x.shape) == 0 || NumElements(out.shape) == 0)
    return Error(Code::kUnsupported, "no elements");
  return CheckWeightedTypes(args);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(CheckOperands(args));
  const Operand& x = args.in(0);
  const Shape& w = args.in(1).shape;
  Convolution c{.batch = x.shape[0], .in_channels = x.shape[1], .out_channels = w[0]};
  ASSIGN_OR_RETURN(c.in, SpatialOf(x.shape));
  ASSIGN_OR_RETURN(const Window window, ReadWindow(args.node.attrs, c.in, KernelOf(w)));
  ASSIGN_OR_RETURN(c.groups, args.node.attrs.Int("group", 1));
  c.out = window.out;
  c.kernel = window.kernel;
  c.strides = window.strides;
  c.dilations = window.dilations;
  c.pads = window.pads_begin;
  ASSIGN_OR_RETURN(const Weights weights, ReadWeights(args.in(1), 0));
  ASSIGN_OR_RETURN(RealSum sum, MakeRealSum(args, weights, c.out_channels));
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
    TRY(CheckDepth(NumElements(c.kernel) * w[1]));
  }
  return MakeConvolution(c, args.isa);
}

int64_t WeightAxis(const Node&, int64_t) { return 0; }

// Every output element sums over the window and the channels of its group.
double MultiplyAdds(const LowerArgs& args) {
  const Shape& w = args.in(1).shape;
  return CountProducts(args.out(0).shape, {w.begin() + 1, w.end()});
}

constexpr OpDef kOps[] = {{
    .name = "Conv",
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

std::span<const OpDef> ConvOps() { return kOps; }

}  // namespace intmill::ops
