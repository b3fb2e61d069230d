// Quantizing and dequantizing whole tensors, by the scalar functions of the header.
#include "tensor/quantize.h"

#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace intmill {
namespace {

Status CheckFloat(const Tensor& x) {
  if (x.dtype() == DType::kF32) return Ok();
  return Error(Code::kShape, "found a tensor of ", DTypeName(x.dtype()), ", wanted f32");
}

// A tensor as outer x channels x inner, where one scale counts for each channel.
struct Channels {
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;
};

Channels SplitAt(const Shape& shape, int64_t axis) {
  if (axis < 0) return {1, 1, NumElements(shape)};
  const auto at = shape.begin() + axis;
  return {NumElements(Shape(shape.begin(), at)), *at, NumElements(Shape(at + 1, shape.end()))};
}

// Calls visit(begin, end, channel) over the whole tensor in order.
template <typename Visit>
void ForEachRun(const Shape& shape, int64_t axis, Visit&& visit) {
  if (NumElements(shape) == 0) return;
  const Channels c = SplitAt(shape, axis);
  int64_t begin = 0;
  for (int64_t o = 0; o < c.outer; ++o)
    for (int64_t channel = 0; channel < c.count; ++channel, begin += c.inner)
      visit(begin, begin + c.inner, static_cast<size_t>(channel));
}

// Calls store(i, q) with the integer of each element.
template <typename Store>
void QuantizeEach(const Tensor& x, const QParams& q, Store&& store) {
  const float* in = x.data<float>();
  const auto lo = static_cast<int32_t>(MinOf(q.dtype));
  const auto hi = static_cast<int32_t>(MaxOf(q.dtype));
  ForEachRun(x.shape(), q.axis, [&](int64_t begin, int64_t end, size_t channel) {
    const float scale = q.scales[channel];
    const int32_t zero_point = q.zero_points[channel];
    for (int64_t i = begin; i < end; ++i) store(i, QuantizeValue(in[i], scale, zero_point, lo, hi));
  });
}

template <typename T>
void QuantizeAs(const Tensor& x, const QParams& q, Tensor& out) {
  T* data = out.mutable_data<T>();
  QuantizeEach(x, q, [data](int64_t i, int32_t value) { data[i] = static_cast<T>(value); });
}

template <typename T>
void DequantizeAs(const Tensor& x, const QParams& q, float* out) {
  const T* in = x.data<T>();
  ForEachRun(x.shape(), q.axis, [&](int64_t begin, int64_t end, size_t channel) {
    for (int64_t i = begin; i < end; ++i)
      out[i] = DequantizeValue(in[i], q.scales[channel], q.zero_points[channel]);
  });
}

void Dequantize4(const Tensor& x, const QParams& q, float* out) {
  const uint8_t* in = x.data<uint8_t>();
  const bool is_signed = x.dtype() == DType::kS4;
  ForEachRun(x.shape(), q.axis, [&](int64_t begin, int64_t end, size_t channel) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t half = i % 2 == 0 ? in[i / 2] & 0xf : in[i / 2] >> 4;
      out[i] = DequantizeValue(is_signed && half > 7 ? half - 16 : half, q.scales[channel],
                               q.zero_points[channel]);
    }
  });
}

std::vector<Range> FiniteRanges(const Tensor& x, int64_t axis) {
  const auto count = static_cast<size_t>(axis < 0 ? 1 : x.dim(axis));
  std::vector<Range> ranges(count);  // begins at 0, which every range holds
  const float* in = x.data<float>();
  ForEachRun(x.shape(), axis, [&](int64_t begin, int64_t end, size_t channel) {
    Range& range = ranges[channel];
    for (int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(in[i])) continue;
      range.min = std::min(range.min, in[i]);
      range.max = std::max(range.max, in[i]);
    }
  });
  return ranges;
}

}  // namespace

Result<Tensor> RealValuesOfBytes(const QParams& q) {
  ASSIGN_OR_RETURN(Tensor values, Tensor::Make(DType::kF32, {256}));
  for (int32_t byte = 0; byte < 256; ++byte) {
    const int32_t stored = q.dtype == DType::kS8 ? static_cast<int8_t>(byte) : byte;
    values.mutable_data<float>()[byte] = DequantizeValue(stored, q.scales[0], q.zero_points[0]);
  }
  return values;
}

Result<QParams> ChooseQParams(const Tensor& x, const ChooseOptions& options) {
  TRY(CheckFloat(x));
  if (options.axis < -1 || options.axis >= x.rank())
    return Error(Code::kInvalidArgument, "axis ", options.axis, " is not an axis of ",
                 ToString(x.shape()));
  QParams q{.dtype = options.dtype, .axis = options.axis, .scales = {}, .zero_points = {}};
  for (const Range& range : FiniteRanges(x, options.axis)) {
    float scale = 1;
    int32_t zero_point = 0;
    ChooseScale(range, options.dtype, options.symmetric, &scale, &zero_point);
    q.scales.push_back(scale);
    q.zero_points.push_back(zero_point);
  }
  TRY(CheckQParams(q));
  return q;
}

Result<Tensor> Quantize(const Tensor& x, const QParams& q) {
  TRY(CheckFloat(x));
  TRY(CheckQParams(q));
  TRY(CheckQParamsFit(q, x.shape()));
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(q.dtype, x.shape()));
  if (q.dtype == DType::kS8) {
    QuantizeAs<int8_t>(x, q, out);
  } else if (q.dtype == DType::kU8) {
    QuantizeAs<uint8_t>(x, q, out);
  } else if (q.dtype == DType::kS16) {
    QuantizeAs<int16_t>(x, q, out);
  } else if (q.dtype == DType::kS32) {
    QuantizeAs<int32_t>(x, q, out);
  } else {
    auto* data = out.mutable_data<uint8_t>();  // zeroed by Make
    QuantizeEach(x, q, [data](int64_t i, int32_t value) {
      data[i / 2] |= static_cast<uint8_t>((value & 0xf) << (i % 2 * 4));
    });
  }
  out.set_qparams(std::make_shared<const QParams>(q));
  return out;
}

Result<Tensor> Dequantize(const Tensor& x) {
  if (x.qparams() == nullptr)
    return Error(Code::kInvalidArgument, "the tensor carries no quantization parameters");
  const QParams& q = *x.qparams();
  TRY(CheckQParams(q));
  TRY(CheckQParamsFit(q, x.shape()));
  if (q.dtype != x.dtype())
    return Error(Code::kInvalidArgument, "the tensor is ", DTypeName(x.dtype()),
                 ", its quantization parameters are for ", DTypeName(q.dtype));
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(DType::kF32, x.shape()));
  auto* data = out.mutable_data<float>();
  switch (x.dtype()) {
    case DType::kS8:
      DequantizeAs<int8_t>(x, q, data);
      break;
    case DType::kU8:
      DequantizeAs<uint8_t>(x, q, data);
      break;
    case DType::kS16:
      DequantizeAs<int16_t>(x, q, data);
      break;
    case DType::kS32:
      DequantizeAs<int32_t>(x, q, data);
      break;
    default:
      Dequantize4(x, q, data);
      break;
  }
  return out;
}

Result<Tensor> FakeQuantize(const Tensor& x, const QParams& q) {
  TRY(CheckFloat(x));
  TRY(CheckQParams(q));
  TRY(CheckQParamsFit(q, x.shape()));
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(DType::kF32, x.shape()));
  const float* in = x.data<float>();
  auto* data = out.mutable_data<float>();
  const auto lo = static_cast<int32_t>(MinOf(q.dtype));
  const auto hi = static_cast<int32_t>(MaxOf(q.dtype));
  ForEachRun(x.shape(), q.axis, [&](int64_t begin, int64_t end, size_t channel) {
    const float s = q.scales[channel];
    const int32_t z = q.zero_points[channel];
    for (int64_t i = begin; i < end; ++i)
      data[i] = DequantizeValue(QuantizeValue(in[i], s, z, lo, hi), s, z);
  });
  return out;
}

}  // namespace intmill
