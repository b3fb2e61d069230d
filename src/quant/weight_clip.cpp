// ClipByMse: a scan over shares of the full range, which the error is too rough to be searched by
// halves.
#include "quant/weight_clip.h"

#include <vector>

#include "tensor/quantize.h"

namespace intmill {
namespace {

constexpr int kSteps = 40;  // down to 0.4 of the range
constexpr double kStep = 0.015;

// Of each scale, over all elements that it serves.
std::vector<double> Errors(const Tensor& weight, const QParams& q, int64_t inner) {
  std::vector<double> errors(q.scales.size());
  const auto lo = static_cast<int32_t>(MinOf(q.dtype));
  const auto hi = static_cast<int32_t>(MaxOf(q.dtype));
  const float* const w = weight.data<float>();
  const int64_t rows = weight.elements() / inner;
  for (int64_t row = 0; row < rows; ++row) {
    const size_t c = static_cast<size_t>(row) % q.scales.size();
    for (int64_t i = row * inner; i < (row + 1) * inner; ++i) {
      const int32_t integer = QuantizeValue(w[i], q.scales[c], q.zero_points[c], lo, hi);
      const double e =
          static_cast<double>(w[i] - DequantizeValue(integer, q.scales[c], q.zero_points[c]));
      errors[c] += e * e;
    }
  }
  return errors;
}

}  // namespace

Status ClipByMse(const Tensor& weight, QParams* params) {
  int64_t inner = 1;
  for (int64_t d = params->per_tensor() ? 0 : params->axis + 1; d < weight.rank(); ++d)
    inner *= weight.dim(d);
  if (weight.elements() == 0) return Ok();
  QParams tried = *params;
  const QParams widest = *params;
  std::vector<double> least = Errors(weight, widest, inner);
  for (int step = 1; step <= kSteps; ++step) {
    for (size_t c = 0; c < tried.scales.size(); ++c)
      tried.scales[c] =
          static_cast<float>(static_cast<double>(widest.scales[c]) * (1 - kStep * step));
    if (!CheckQParams(tried).ok()) break;  // no normal number is that small
    const std::vector<double> errors = Errors(weight, tried, inner);
    for (size_t c = 0; c < errors.size(); ++c) {
      if (errors[c] >= least[c]) continue;
      least[c] = errors[c];
      params->scales[c] = tried.scales[c];
    }
  }
  return Ok();
}

}  // namespace intmill
