// Range: start, start + delta, ... below limit (above it, where delta is negative).
#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

// max(0, ceil((limit - start) / delta))
template <typename T>
Result<int64_t> CountOf(T start, T limit, T delta) {
  const double count = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                                 static_cast<double>(delta));
  if (std::isnan(count) || count > static_cast<double>(kMaxDim))
    return Error(Code::kShape, "a range of too many elements");
  return static_cast<int64_t>(std::max(0.0, count));
}

Status Infer(InferContext& context) {
  const DType dtype = context.dtype(0);
  Shape out = {kDynamic};
  const Tensor* values[3] = {context.constant(0), context.constant(1), context.constant(2)};
  for (int64_t i = 1; i < 3; ++i)
    if (dtype != DType::kNone && context.dtype(i) != DType::kNone && context.dtype(i) != dtype)
      return Error(Code::kInvalidArgument, "input 0 is ", DTypeName(dtype), ", input ", i, " is ",
                   DTypeName(context.dtype(i)));
  if (values[0] != nullptr && values[1] != nullptr && values[2] != nullptr) {
    for (const Tensor* value : values)
      if (value->elements() != 1)
        return Error(Code::kShape, "an input is ", ToString(value->shape()), ", wanted a scalar");
    TRY((ForType<float, int32_t, int64_t>(dtype, [&]<typename T>(T) {
      ASSIGN_OR_RETURN(
          out[0], CountOf(*values[0]->data<T>(), *values[1]->data<T>(), *values[2]->data<T>()));
      return Ok();
    })));
  }
  context.SetOutput(0, dtype, out);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  return ForType<float, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    // Unsigned for integers: start and limit may be further apart than a signed number reaches.
    using Wide = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
    const auto start = static_cast<Wide>(*args.in(0).data<T>());
    const auto delta = static_cast<Wide>(*args.in(2).data<T>());
    for (int64_t i = 0; i < args.out(0).elements(); ++i)
      args.out(0).mutable_data<T>()[i] = static_cast<T>(start + static_cast<Wide>(i) * delta);
    return Ok();
  });
}

constexpr OpDef kOps[] = {{
    .name = "Range",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = Infer,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> RangeOps() { return kOps; }

}  // namespace intmill::ops
