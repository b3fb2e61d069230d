// Elementwise operators of any number of tensors, folded two by two.
#ifndef INTMILL_OPS_COMMON_VARIADIC_H
#define INTMILL_OPS_COMMON_VARIADIC_H

#include "ops/common/binary.h"

namespace intmill::ops {

// out = fn(fn(x0, x1), x2)...
template <typename... Ts, typename Fn>
Status VariadicReference(const ReferenceArgs& args, Fn fn) {
  return ForType<Ts...>(args.in(0).dtype(), [&]<typename T>(T) {
    Tensor& out = args.out(0);
    T* values = out.mutable_data<T>();
    for (size_t k = 0; k < args.inputs.size(); ++k) {
      const T* x = args.inputs[k]->data<T>();
      ForBroadcastPairs(args.inputs[k]->shape(), out.shape(), out.shape(),
                        [&](int64_t i, int64_t at, int64_t) {
                          values[i] = k == 0 ? x[at] : fn(values[i], x[at]);
                        });
    }
    return Ok();
  });
}

inline Status RequireTwoInputs(const LowerArgs& args) {
  if (args.inputs.size() == 2) return Ok();
  return Error(Code::kUnsupported, args.inputs.size(), " inputs, wanted 2");
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_VARIADIC_H
