// The epilogue of integer sums in plain loops: the definition that oneDNN's kernels must equal.
#include "kernels/native/epilogue_row.h"

#include <cmath>
#include <cstring>

namespace intmill::native {
namespace {

float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

float Apply(const EpilogueStep& step, float x) {
  const float a = step.alpha;
  const float b = step.beta;
  switch (step.kind) {
    case EpilogueStep::Kind::kClip:
      x = x > a ? x : a;
      return x < b ? x : b;
    case EpilogueStep::Kind::kLeakyRelu:
      return x < 0 ? a * x : x;
    case EpilogueStep::Kind::kSigmoid:
      return Sigmoid(x);
    case EpilogueStep::Kind::kTanh:
      return std::tanh(x);
    case EpilogueStep::Kind::kElu:
      return x < 0 ? a * (std::exp(x) - 1.0f) : x;
    case EpilogueStep::Kind::kHardSigmoid:
      return std::fmin(std::fmax(a * x + b, 0.0f), 1.0f);
    case EpilogueStep::Kind::kHardSwish:
      return x * std::fmin(std::fmax(x * (1.0f / 6.0f) + 0.5f, 0.0f), 1.0f);
    case EpilogueStep::Kind::kGelu:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f));
    case EpilogueStep::Kind::kSwish:
      return x * Sigmoid(x);
    case EpilogueStep::Kind::kAdd:
      break;
  }
  return x;
}

template <typename T>
void AddRow(const void* operand, int64_t offset, float* row, int64_t n) {
  const T* x = static_cast<const T*>(operand) + offset;
  for (int64_t i = 0; i < n; ++i) row[i] = row[i] + static_cast<float>(x[i]);
}

void ApplyStep(const EpilogueStep& step, const RunArgs& args, int64_t offset, float* row,
               int64_t n) {
  if (step.kind != EpilogueStep::Kind::kAdd) {
    for (int64_t i = 0; i < n; ++i) row[i] = Apply(step, row[i]);
    return;
  }
  const void* operand = args.inputs[static_cast<size_t>(step.input)];
  if (step.dtype == DType::kU8) return AddRow<uint8_t>(operand, offset, row, n);
  if (step.dtype == DType::kS8) return AddRow<int8_t>(operand, offset, row, n);
  AddRow<float>(operand, offset, row, n);
}

template <typename T>
void StoreRow(const float* row, int64_t n, float lowest, float highest, T* out) {
  for (int64_t i = 0; i < n; ++i) {
    float t = row[i] > lowest ? row[i] : lowest;
    t = t < highest ? t : highest;
    out[i] = static_cast<T>(std::rint(t));
  }
}

}  // namespace

Status CheckEpilogue(const Epilogue& epilogue) {
  for (const EpilogueStep& step : epilogue.steps)
    if (!step.shape.empty())
      return Error(Code::kUnsupported, "an added operand of a shape other than the output's");
  return Ok();
}

void FinishRow(const Epilogue& e, DType out_dtype, const int32_t* sums, int64_t channels,
               const RunArgs& args, int64_t offset, float* row) {
  const size_t scale_stride = e.scales.size() == 1 ? 0 : 1;
  for (int64_t c = 0; c < channels; ++c)
    row[c] = static_cast<float>(sums[c]) * e.scales[static_cast<size_t>(c) * scale_stride];
  FinishReals(e, out_dtype, channels, args, offset, row);
}

void FinishReals(const Epilogue& e, DType out_dtype, int64_t channels, const RunArgs& args,
                 int64_t offset, float* row) {
  if (!e.bias.empty())
    for (int64_t c = 0; c < channels; ++c) row[c] = row[c] + e.bias[static_cast<size_t>(c)];
  for (const EpilogueStep& step : e.steps) ApplyStep(step, args, offset, row, channels);
  const float inverse = 1.0f / e.divisor;
  if (e.divisor != 1)
    for (int64_t c = 0; c < channels; ++c) row[c] = row[c] * inverse;
  const auto zero_point = static_cast<float>(e.zero_point);
  if (e.zero_point != 0)
    for (int64_t c = 0; c < channels; ++c) row[c] = row[c] + zero_point;
  if (out_dtype == DType::kF32) {
    std::memcpy(static_cast<float*>(args.outputs[0]) + offset, row,
                static_cast<size_t>(channels) * sizeof(float));
    return;
  }
  if (out_dtype == DType::kU8) {
    StoreRow(row, channels, 0, 255, static_cast<uint8_t*>(args.outputs[0]) + offset);
  } else {
    StoreRow(row, channels, -128, 127, static_cast<int8_t*>(args.outputs[0]) + offset);
  }
}

}  // namespace intmill::native
