// BatchNormalization with known statistics: (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c]
// + bias[c].
#include <cmath>

#include "kernels/native/channel_affine.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

enum Input : int64_t { kX, kScale, kBias, kMean, kVariance };

Status CheckInference(const InferContext& context) {
  ASSIGN_OR_RETURN(const int64_t training, context.attrs().Int("training_mode", 0));
  if (training != 0) return Error(Code::kUnsupported, "training_mode ", training);
  const auto& outputs = context.node().outputs;
  for (size_t i = 1; i < outputs.size(); ++i)
    if (outputs[i] != kNoValue) return Error(Code::kUnsupported, "output ", i, ", for training");
  return Ok();
}

Status Infer(InferContext& context) {
  TRY(CheckInference(context));
  const Shape* x = context.shape(kX);
  std::optional<Shape> out;
  if (x != nullptr) {
    if (x->size() < 2) return Error(Code::kShape, "the input has ", x->size(), " dimensions");
    for (int64_t i = kScale; i <= kVariance; ++i) {
      const Shape* s = context.shape(i);
      if (s == nullptr || (*x)[1] == kDynamic) continue;
      if (s->size() != 1 || ((*s)[0] != (*x)[1] && (*s)[0] != kDynamic))
        return Error(Code::kShape, "input ", i, " has shape ", ToString(*s), ", wanted ", (*x)[1]);
    }
    out = *x;
  }
  context.SetOutput(0, context.dtype(kX), out);
  for (int64_t i = 1; i < context.output_count(); ++i)
    context.SetOutput(i, DType::kF32, std::nullopt);
  return Ok();
}

struct Affine {
  std::vector<double> factors;
  std::vector<double> offsets;
};

Affine AffineOf(const std::vector<const float*>& p, int64_t channels, float epsilon) {
  Affine affine;
  for (int64_t c = 0; c < channels; ++c) {
    const double deviation =
        std::sqrt(static_cast<double>(p[kVariance][c]) + static_cast<double>(epsilon));
    const double factor = static_cast<double>(p[kScale][c]) / deviation;
    affine.factors.push_back(factor);
    affine.offsets.push_back(static_cast<double>(p[kBias][c]) -
                             factor * static_cast<double>(p[kMean][c]));
  }
  return affine;
}

Status Reference(const ReferenceArgs& args) {
  std::vector<const float*> parameters;
  for (int64_t i = kX; i <= kVariance; ++i) {
    if (args.in(i).dtype() != DType::kF32) return UnsupportedType(args.in(i).dtype());
    parameters.push_back(args.in(i).data<float>());
  }
  ASSIGN_OR_RETURN(const float epsilon, args.node.attrs.Float("epsilon", 1e-5f));
  const Tensor& x = args.in(kX);
  if (x.elements() == 0) return Ok();
  const int64_t channels = x.dim(1);
  const int64_t area = x.elements() / x.dim(0) / channels;
  const Affine affine = AffineOf(parameters, channels, epsilon);
  for (int64_t i = 0; i < x.elements(); ++i) {
    const auto c = static_cast<size_t>(i / area % channels);
    args.out(0).mutable_data<float>()[i] =
        static_cast<float>(parameters[kX][i] * affine.factors[c] + affine.offsets[c]);
  }
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  const Operand& x = args.in(kX);
  if (x.dtype != DType::kF32) return UnsupportedType(x.dtype);
  if (x.shape.size() != 2 && x.layout != Layout::kChannelsLast)
    return Error(Code::kUnsupported, "images that are not channels-last");
  if (NumElements(x.shape) == 0) return Error(Code::kUnsupported, "no elements");
  std::vector<const float*> parameters = {nullptr};
  for (int64_t i = kScale; i <= kVariance; ++i) {
    if (args.in(i).constant == nullptr || args.in(i).dtype != DType::kF32)
      return Error(Code::kUnsupported, "parameters that are not constant");
    parameters.push_back(args.in(i).constant->data<float>());
  }
  ASSIGN_OR_RETURN(const float epsilon, args.node.attrs.Float("epsilon", 1e-5f));
  ASSIGN_OR_RETURN(const Clamp clamp, ClampOfPostOps(args.node));
  const int64_t channels = x.shape[1];
  const Affine affine = AffineOf(parameters, channels, epsilon);
  return native::MakeChannelAffine({.pixels = NumElements(x.shape) / channels,
                                    .factors = {affine.factors.begin(), affine.factors.end()},
                                    .offsets = {affine.offsets.begin(), affine.offsets.end()},
                                    .low = clamp.low,
                                    .high = clamp.high,
                                    .packed_inputs = kVariance});
}

// Before opset 9 statistics could be per element.
Status Upgrade(Graph&, Node& node, int64_t opset) {
  if (opset >= 9 || !node.attrs.Has("spatial")) return Ok();
  ASSIGN_OR_RETURN(const int64_t spatial, node.attrs.Int("spatial", 1));
  if (spatial != 1) return Error(Code::kUnsupported, "attribute 'spatial' ", spatial);
  node.attrs.Remove("spatial");
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "BatchNormalization",
    .min_inputs = 5,
    .max_inputs = 5,
    .max_outputs = 5,
    .layout = LayoutRule::kSpatial,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> BatchNormalizationOps() { return kOps; }

}  // namespace intmill::ops
