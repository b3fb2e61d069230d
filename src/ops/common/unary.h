// Elementwise operators of one tensor: what they share, so that each file is its definition.
#ifndef INTMILL_OPS_COMMON_UNARY_H
#define INTMILL_OPS_COMMON_UNARY_H

#include "ir/op.h"
#include "kernels/native/unary.h"
#include "ops/common/types.h"

namespace intmill::ops {

// The output has input 0's type and shape.
Status InferSame(InferContext& context);

// y[i] = fn(x[i]) for the listed types.
template <typename... Ts, typename Fn>
Status UnaryReference(const ReferenceArgs& args, Fn fn) {
  return ForType<Ts...>(args.in(0).dtype(), [&]<typename T>(T) {
    const T* x = args.in(0).data<T>();
    T* y = args.out(0).mutable_data<T>();
    for (int64_t i = 0; i < args.out(0).elements(); ++i) y[i] = static_cast<T>(fn(x[i]));
    return Ok();
  });
}

// f32: the native kernel of `function`; int8 with scales: a table made by the operator's reference.
Result<std::unique_ptr<Kernel>> LowerUnary(const LowerArgs& args, const native::Unary& function);
template <native::UnaryFunction kFunction>
Result<std::unique_ptr<Kernel>> LowerUnary(const LowerArgs& args) {
  return LowerUnary(args, {.function = kFunction});
}
// Only the table.
Result<std::unique_ptr<Kernel>> LowerTable(const LowerArgs& args);

// Functions too rare for vector code: f32 one by one, through double as the reference.
template <typename Fn>
Result<std::unique_ptr<Kernel>> LowerScalar(const LowerArgs& args) {
  if (args.in(0).dtype != DType::kF32 || !args.node.post_ops.empty())
    return UnsupportedType(args.in(0).dtype);
  const native::RowUnary row = [](const void* in, void* out, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      static_cast<float*>(out)[i] = static_cast<float>(Fn()(static_cast<const float*>(in)[i]));
  };
  return native::MakeRowUnary(row, 4, 4, NumElements(args.out(0).shape));
}

// Post-op without parameters, for activations that are always fusable.
template <PostOp::Kind kKind>
Result<PostOp> PlainPostOp(const Graph&, const Node&) {
  return PostOp{.kind = kKind};
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_UNARY_H
