// The sums behind the comparison of tensors, in doubles and in element order.
#include "tensor/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/quantize.h"

namespace intmill {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Result<std::vector<float>> RealValues(const Tensor& t) {
  if (t.qparams() == nullptr) return ToFloats(t);
  ASSIGN_OR_RETURN(const Tensor real, Dequantize(t));
  return ToFloats(real);
}

}  // namespace

Status Comparison::Add(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape())
    return Error(Code::kShape, "found shapes ", ToString(a.shape()), " and ", ToString(b.shape()),
                 ", wanted equal ones");
  ASSIGN_OR_RETURN(const std::vector<float> x, RealValues(a));
  ASSIGN_OR_RETURN(const std::vector<float> y, RealValues(b));
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = x[i];
    const double v = y[i];
    // Equal infinities and two NaNs are no error; against anything else they are an infinite one.
    const bool equal = u == v || (std::isnan(u) && std::isnan(v));
    const double d = equal ? 0 : std::isnan(u - v) ? kInfinity : std::abs(u - v);
    max_abs_ = std::max(max_abs_, d);
    sum_abs_ += d;
    sum_dd_ += d * d;
    if (!std::isfinite(u) || !std::isfinite(v)) continue;
    sum_aa_ += u * u;
    sum_bb_ += v * v;
    sum_ab_ += u * v;
  }
  count_ += static_cast<int64_t>(x.size());
  return Ok();
}

Difference Comparison::Get() const {
  Difference out;
  const auto n = static_cast<double>(std::max<int64_t>(count_, 1));
  out.max_abs = max_abs_;
  out.mean_abs = sum_abs_ / n;
  out.mse = sum_dd_ / n;
  // log10(0) is -infinity, which is right for noise without a signal.
  out.sqnr_db = sum_dd_ == 0 ? kInfinity : 10 * std::log10(sum_aa_ / sum_dd_);
  if (sum_aa_ > 0 && sum_bb_ > 0)
    // Rounding may carry the quotient a little beyond 1.
    out.cosine = std::clamp(sum_ab_ / (std::sqrt(sum_aa_) * std::sqrt(sum_bb_)), -1.0, 1.0);
  else
    out.cosine = sum_aa_ == sum_bb_ ? 1 : 0;
  return out;
}

}  // namespace intmill
