// C entries about quantization parameters, and about quantizing and comparing one tensor.
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "intmill/intmill.h"
#include "quant/choose_one.h"
#include "tensor/compare.h"
#include "tensor/quantize.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

using QParamsHandle = Result<std::unique_ptr<intmill_qparams>>;
using TensorHandle = Result<std::unique_ptr<intmill_tensor>>;

constexpr uint32_t kFirstDifferenceSize = 64;
static_assert(sizeof(intmill_difference) >= kFirstDifferenceSize);

QParamsHandle WrapQParams(Result<QParams> q) {
  ASSIGN_OR_RETURN(QParams value, std::move(q));
  auto handle = std::make_unique<intmill_qparams>();
  handle->value = std::make_shared<const QParams>(std::move(value));
  return handle;
}

Result<QParams> ToQParams(intmill_dtype dtype, int32_t axis, int64_t n, const float* scales,
                          const int32_t* zero_points) {
  const auto type = static_cast<DType>(dtype);
  if (!IsQuantizedActivation(type))
    return Error(Code::kInvalidArgument, "element type ", static_cast<int32_t>(dtype),
                 " is not one to quantize to, wanted INTMILL_S8, INTMILL_U8 or INTMILL_S16");
  TRY(CheckPointer(scales, "scales"));
  if (n < 1 || n > kMaxDim)
    return Error(Code::kInvalidArgument, "found ", n, " scales, wanted 1..", kMaxDim);
  QParams q{.dtype = type, .axis = axis, .scales = {scales, scales + n}, .zero_points = {}};
  q.zero_points.assign(static_cast<size_t>(n), 0);
  if (zero_points != nullptr) q.zero_points.assign(zero_points, zero_points + n);
  TRY(CheckQParams(q));
  return q;
}

// The element bytes, and those of the scales and zero points.
int64_t BytesWithQParams(const Tensor& t) {
  constexpr auto kEach = static_cast<int64_t>(sizeof(float) + sizeof(int32_t));
  const QParamsPtr& q = t.qparams();
  return t.bytes() + (q == nullptr ? 0 : kEach * static_cast<int64_t>(q->scales.size()));
}

Result<intmill_difference> Compare(const Tensor& a, const Tensor& b) {
  Comparison comparison;
  TRY(comparison.Add(a, b));
  const Difference d = comparison.Get();
  intmill_difference out = INTMILL_DIFFERENCE_INIT;
  out.max_abs = d.max_abs;
  out.mean_abs = d.mean_abs;
  out.mse = d.mse;
  out.sqnr_db = d.sqnr_db;
  out.cosine = d.cosine;
  out.bytes_a = BytesWithQParams(a);
  out.bytes_b = BytesWithQParams(b);
  return out;
}

}  // namespace

intmill_status intmill_qparams_create(intmill_dtype dtype, int32_t axis, int64_t n,
                                      const float* scales, const int32_t* zero_points,
                                      intmill_qparams** out) {
  return Create(out, [&] { return WrapQParams(ToQParams(dtype, axis, n, scales, zero_points)); });
}

intmill_status intmill_qparams_choose(const intmill_tensor* x, int32_t axis,
                                      const intmill_options* opts, intmill_qparams** out) {
  return Create(out, [&]() -> QParamsHandle {
    TRY(CheckHandle(x, "x"));
    TRY(CheckOptions(opts));
    return WrapQParams(ChooseForTensor(x->value, axis, ToScheme(BagOf(opts))));
  });
}

void intmill_qparams_release(intmill_qparams* q) {
  if (Alive(q) && !q->part_of_tensor) Release(q);
}

intmill_dtype intmill_qparams_dtype(const intmill_qparams* q) {
  return static_cast<intmill_dtype>(Alive(q) ? q->value->dtype : DType::kNone);
}

int32_t intmill_qparams_axis(const intmill_qparams* q) {
  return Alive(q) ? static_cast<int32_t>(q->value->axis) : 0;
}

int64_t intmill_qparams_count(const intmill_qparams* q) {
  return Alive(q) ? static_cast<int64_t>(q->value->scales.size()) : 0;
}

const float* intmill_qparams_scales(const intmill_qparams* q) {
  return Alive(q) ? q->value->scales.data() : nullptr;
}

const int32_t* intmill_qparams_zero_points(const intmill_qparams* q) {
  return Alive(q) ? q->value->zero_points.data() : nullptr;
}

intmill_status intmill_tensor_quantize(const intmill_tensor* x, const intmill_qparams* q,
                                       intmill_tensor** out) {
  return Create(out, [&]() -> TensorHandle {
    TRY(CheckHandle(x, "x"));
    TRY(CheckHandle(q, "q"));
    return WrapTensor(Quantize(x->value, *q->value));
  });
}

intmill_status intmill_tensor_dequantize(const intmill_tensor* x, intmill_tensor** out) {
  return Create(out, [&]() -> TensorHandle {
    TRY(CheckHandle(x, "x"));
    return WrapTensor(Dequantize(x->value));
  });
}

intmill_status intmill_tensor_fake_quantize(const intmill_tensor* x, const intmill_qparams* q,
                                            intmill_tensor** out) {
  return Create(out, [&]() -> TensorHandle {
    TRY(CheckHandle(x, "x"));
    TRY(CheckHandle(q, "q"));
    return WrapTensor(FakeQuantize(x->value, *q->value));
  });
}

intmill_status intmill_tensor_compare(const intmill_tensor* a, const intmill_tensor* b,
                                      intmill_difference* difference) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(a, "a"));
    TRY(CheckHandle(b, "b"));
    TRY(CheckPointer(difference, "difference"));
    ASSIGN_OR_RETURN(const intmill_difference found, Compare(a->value, b->value));
    return FillStruct(found, kFirstDifferenceSize, difference);
  });
}
