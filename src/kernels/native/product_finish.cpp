#include "kernels/native/product_finish.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intmill::native {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

using Kind = EpilogueStep::Kind;

// Whether a sum's float, scaled, and all that is added to it, may be more than 32 bits hold. False
// says that of no number, not even after a rounding: the limit is 2^30.
bool MayOverflow(const MatMul& m) {
  const Epilogue& e = m.epilogue;
  constexpr float kLimit = 1 << 30;
  const float largest_sum = 255.0f * 255.0f * static_cast<float>(m.depth());
  float largest = 0;
  for (size_t i = 0; i < std::max(e.scales.size(), e.bias.size()); ++i)
    largest = std::max(largest, largest_sum * std::abs(e.scales[e.scales.size() == 1 ? 0 : i]) +
                                    (e.bias.empty() ? 0.0f : std::abs(e.bias[i])));
  for (const EpilogueStep& step : e.steps) {
    if (step.kind != Kind::kAdd) continue;
    if (step.dtype == DType::kF32) return true;
    largest += 255.0f;
  }
  // Not below is what a NaN is, too.
  return !(largest / e.divisor + 255.0f < kLimit);
}

// Whether a sum with its scale and bias needs rounding only, as most do.
bool IsPlain(const ProductFinish& f) {
  return !f.has_clamp && f.factor == 1 && f.zero_point == 0 && !f.may_overflow;
}

// Whether bytes saturate at both bounds of the clamp and so everywhere beyond: it changes nothing,
// as the ReLU before a zero point of 0.
bool SaturatesAtBounds(const ProductFinish& f) {
  const float lowest = f.highest - 255.0f;
  return std::nearbyint(f.low * f.factor + f.zero_point) <= lowest &&
         std::nearbyint(f.high * f.factor + f.zero_point) >= f.highest;
}

}  // namespace

bool FitsEpilogue(const Epilogue& e, DType out) {
  if (out == DType::kF32 && (e.divisor != 1 || e.zero_point != 0)) return false;
  for (size_t i = 0; i < e.steps.size(); ++i) {
    const EpilogueStep& step = e.steps[i];
    const bool is_addend = step.kind == Kind::kAdd && i == 0 && step.shape.empty();
    if (!is_addend && step.kind != Kind::kClip) return false;
  }
  return true;
}

ProductAddend AddendOf(const Epilogue& e) {
  if (e.steps.empty() || e.steps[0].kind != Kind::kAdd) return ProductAddend::kNone;
  return e.steps[0].dtype == DType::kF32 ? ProductAddend::kF32 : ProductAddend::kBytes;
}

ProductFinish FinishOf(const MatMul& m, const uint8_t* table) {
  const Epilogue& e = m.epilogue;
  const bool adds_signed = !e.steps.empty() && e.steps[0].dtype == DType::kS8;
  ProductFinish f{.has_clamp = false,
                  .low = -kInfinity,
                  .high = kInfinity,
                  .is_signed = m.out_dtype == DType::kS8,
                  .factor = 1.0f / e.divisor,
                  .zero_point = static_cast<float>(e.zero_point),
                  .highest = m.out_dtype == DType::kS8 ? 127.0f : 255.0f,
                  .may_overflow = MayOverflow(m),
                  .addend_bits = adds_signed ? -1 : 0xff,
                  .table = table};
  for (const EpilogueStep& step : e.steps) {
    if (step.kind != Kind::kClip) continue;
    f.has_clamp = true;
    f.low = std::min(std::max(f.low, step.alpha), step.beta);
    f.high = std::min(std::max(f.high, step.alpha), step.beta);
  }
  if (m.out_dtype != DType::kF32 && SaturatesAtBounds(f)) f.has_clamp = false;
  return f;
}

ProductLoop LoopOf(const MatMul& m, const ProductFinish& finish, const ProductLoops& loops) {
  const ProductOutput output = m.out_dtype == DType::kF32 ? ProductOutput::kF32
                               : m.epilogue.table         ? ProductOutput::kEntries
                                                          : ProductOutput::kBytes;
  const ProductAddend addend = AddendOf(m.epilogue);
  if (output == ProductOutput::kBytes && addend == ProductAddend::kNone && IsPlain(finish))
    return loops.plain_bytes;
  return loops.finished[static_cast<int>(output)][static_cast<int>(addend)];
}

}  // namespace intmill::native
