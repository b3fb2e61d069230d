// Weights: w = (q - z) * s_w with s_w from the largest weight; bias: q = round(b / (s_x * s_w)).
#include "quant/weights.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "quant/round_weights.h"
#include "quant/weight_clip.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

// A sum of K products u8 x s8 reaches at most K * 255 * 128, and the bias is added to it in 32
// bits.
double LargestBias(int64_t summands) {
  const double rest = static_cast<double>(std::numeric_limits<int32_t>::max()) -
                      static_cast<double>(summands) * 255 * 128;
  return std::max(rest, 0x1p30);
}

// A channel of zeros says nothing about its scale; this one gives its bias 24 bits.
constexpr double kBiasOfDeadChannel = 0x1p24;

struct Channels {
  std::vector<float> largest_weight;  // one a scale
  std::vector<float> largest_bias;
};

// Walks the weight once; `inner` elements lie between two indices of the axis.
std::vector<float> LargestWeights(const Tensor& weight, int64_t axis, size_t n_scales) {
  std::vector<float> largest(n_scales);
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < weight.rank(); ++i) inner *= weight.dim(i);
  const auto values = weight.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = n_scales == 1 ? 0 : i / static_cast<size_t>(inner) % n_scales;
    largest[channel] = std::max(largest[channel], std::fabs(values[i]));
  }
  return largest;
}

// Widens weight scales until every bias fits, and until s_x * s_w is a normal float.
void GuardBias(const Channels& channels, double input_scale, double limit,
               std::vector<float>* scales) {
  for (size_t c = 0; c < scales->size(); ++c) {
    double s = static_cast<double>((*scales)[c]);
    const double bias = static_cast<double>(channels.largest_bias[c]);
    if (channels.largest_weight[c] == 0 && bias > 0) s = bias / (input_scale * kBiasOfDeadChannel);
    s = std::max({s, bias / (input_scale * limit), 2 * static_cast<double>(FLT_MIN) / input_scale,
                  2 * static_cast<double>(FLT_MIN)});
    // The step to float may round down; one step up makes up for it.
    float rounded = static_cast<float>(std::min(s, static_cast<double>(FLT_MAX)));
    if (static_cast<double>(rounded) < s) rounded = std::nextafter(rounded, FLT_MAX);
    (*scales)[c] = rounded;
  }
}

Status QuantizeBias(const Tensor& bias, float input_scale, const std::vector<float>& scales,
                    QuantizedWeight* out) {
  ASSIGN_OR_RETURN(out->bias, Tensor::Make(DType::kS32, bias.shape()));
  const auto values = bias.values<float>();
  int32_t* quantized = out->bias.mutable_data<int32_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    const float scale = input_scale * scales[i % scales.size()];
    out->bias_scales.push_back(scale);
    const double q = std::rint(static_cast<double>(values[i]) / static_cast<double>(scale));
    quantized[i] =
        static_cast<int32_t>(std::clamp(q, static_cast<double>(std::numeric_limits<int32_t>::min()),
                                        static_cast<double>(std::numeric_limits<int32_t>::max())));
  }
  return Ok();
}

// The float bias, one value an output channel where it was one for all, or zeros where it is
// absent.
Result<Tensor> WholeBias(const Tensor* bias, int64_t outputs) {
  if (bias != nullptr && (bias->elements() != 1 || outputs == 1)) return *bias;
  ASSIGN_OR_RETURN(Tensor whole, Tensor::Make(DType::kF32, {outputs}));
  if (bias != nullptr) std::fill_n(whole.mutable_data<float>(), outputs, bias->values<float>()[0]);
  return whole;
}

Result<Tensor> CorrectedBias(const Tensor& bias, const Tensor& weight, const Tensor& quantized,
                             int64_t axis, const BiasContext& context) {
  if (context.means.empty() || bias.elements() != weight.dim(axis)) return bias;
  ASSIGN_OR_RETURN(const std::vector<double> shift,
                   MeanShift(weight, quantized, axis, context.channels, context.means));
  ASSIGN_OR_RETURN(Tensor corrected, Tensor::Make(DType::kF32, bias.shape()));
  for (size_t i = 0; i < shift.size(); ++i)
    corrected.mutable_data<float>()[i] =
        static_cast<float>(static_cast<double>(bias.data<float>()[i]) - shift[i]);
  return corrected;
}

Status GuardScales(const Tensor& weight, int64_t axis, const Tensor& bias, float input_scale,
                   std::vector<float>* scales) {
  const size_t n = scales->size();
  // Groups of a ConvTranspose share weight channels, so the bias may be longer than the scales.
  if (static_cast<size_t>(bias.elements()) % n != 0)
    return Error(Code::kShape, "bias has ", bias.elements(), " values, wanted a multiple of ", n);
  Channels channels;
  channels.largest_weight = LargestWeights(weight, axis, n);
  channels.largest_bias.resize(n);
  const auto values = bias.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    float& largest = channels.largest_bias[i % n];
    largest = std::max(largest, std::fabs(values[i]));
  }
  const int64_t summands = weight.elements() / std::max<int64_t>(1, weight.dim(axis));
  GuardBias(channels, static_cast<double>(input_scale), LargestBias(summands), scales);
  return Ok();
}

// Integers of the weight; where the scheme wants it, with wider scales for channels in which a pair
// could saturate. One scale for all is widened for the sake of one channel.
Result<Tensor> QuantizeForTarget(const Tensor& weight, const LayerScheme& scheme,
                                 const std::optional<Reduction>& reduction, QParams* params) {
  ASSIGN_OR_RETURN(Tensor values, Quantize(weight, *params));
  const bool may_narrow = scheme.target == Target::kAny && params->dtype == DType::kS8 &&
                          scheme.weight_symmetric && reduction;
  if (!may_narrow) return values;
  const std::vector<int64_t> saturating = SaturatingChannels(values, *reduction);
  if (saturating.empty()) return values;
  const std::vector<float> largest =
      LargestWeights(weight, reduction->channel_axis, params->scales.size());
  const auto narrow = [&](size_t i) {
    const float scale = std::nextafter(largest[i] / kNarrowWeight, FLT_MAX);
    params->scales[i] = std::max(params->scales[i], scale);
  };
  if (params->per_tensor())
    narrow(0);
  else
    for (const int64_t channel : saturating) narrow(static_cast<size_t>(channel));
  return Quantize(weight, *params);
}

bool IsCentered(const BiasContext& context) { return !context.means.empty(); }

// Rounded by what the layer's inputs are like, where that is known. Channels that must not saturate
// and would now keep their nearest integers.
Result<Tensor> Rounded(const Tensor& weight, const Tensor& nearest, int64_t axis,
                       const LayerScheme& scheme, const BiasContext* context,
                       const std::optional<Reduction>& reduction) {
  if (context == nullptr || context->moments == nullptr || !IsQuantized8(nearest.dtype()))
    return nearest;
  ASSIGN_OR_RETURN(Tensor rounded, RoundByMoments(weight, nearest, axis, context->channels,
                                                  *context->moments, IsCentered(*context)));
  if (scheme.target != Target::kAny || nearest.dtype() != DType::kS8 || !reduction) return rounded;
  const std::vector<int64_t> saturating = SaturatingChannels(rounded, *reduction);
  int64_t inner = 1;
  for (int64_t i = reduction->channel_axis + 1; i < weight.rank(); ++i) inner *= weight.dim(i);
  const int64_t channels = weight.dim(reduction->channel_axis);
  for (int64_t i = 0; i < weight.elements(); ++i)
    if (std::binary_search(saturating.begin(), saturating.end(), i / inner % channels))
      rounded.mutable_data<int8_t>()[i] = nearest.data<int8_t>()[i];
  return rounded;
}

}  // namespace

Result<QuantizedWeight> QuantizeWeight(const Tensor& weight, int64_t axis,
                                       const LayerScheme& scheme, const BiasContext* context,
                                       const std::optional<Reduction>& reduction) {
  ChooseOptions choose;
  choose.dtype = scheme.weight_dtype;
  choose.symmetric = scheme.weight_symmetric;
  choose.axis = scheme.per_channel ? axis : -1;
  ASSIGN_OR_RETURN(QParams params, ChooseQParams(weight, choose));

  if (scheme.weight_range == WeightRange::kMse) TRY(ClipByMse(weight, &params));

  QuantizedWeight out;
  if (context == nullptr || (context->bias == nullptr && context->means.empty())) {
    ASSIGN_OR_RETURN(out.values, QuantizeForTarget(weight, scheme, reduction, &params));
    ASSIGN_OR_RETURN(out.values, Rounded(weight, out.values, axis, scheme, context, reduction));
    return out;
  }
  ASSIGN_OR_RETURN(const Tensor bias, WholeBias(context->bias, weight.dim(axis)));
  if (!context->keeps_float)
    TRY(GuardScales(weight, axis, bias, context->input_scale, &params.scales));
  ASSIGN_OR_RETURN(out.values, QuantizeForTarget(weight, scheme, reduction, &params));
  ASSIGN_OR_RETURN(out.values, Rounded(weight, out.values, axis, scheme, context, reduction));
  ASSIGN_OR_RETURN(const Tensor corrected, CorrectedBias(bias, weight, out.values, axis, *context));
  if (context->keeps_float) {
    out.bias = corrected;
    return out;
  }
  TRY(QuantizeBias(corrected, context->input_scale, params.scales, &out));
  return out;
}

}  // namespace intmill
