// Elementwise operators of two tensors with broadcasting: what they share.
#ifndef INTMILL_OPS_COMMON_BINARY_H
#define INTMILL_OPS_COMMON_BINARY_H

#include <functional>

#include "ir/op.h"
#include "kernels/native/binary.h"
#include "ops/common/layout.h"
#include "ops/common/types.h"

namespace intmill::ops {

// Both inputs of one type, which the output has too; broadcast shapes.
Status InferBinary(InferContext& context);
// The output is bool.
Status InferComparison(InferContext& context);
// The broadcast shape of all inputs; absent when a rank is unknown.
Result<std::optional<Shape>> BroadcastInputs(const InferContext& context);

// Calls fn(i, index in a, index in b) for every element i of the row-major broadcast shape.
void ForBroadcastPairs(const Shape& a, const Shape& b, const Shape& out,
                       const std::function<void(int64_t, int64_t, int64_t)>& fn);

// out = fn(a, b) for inputs of type In and an output of type Out.
template <typename In, typename Out, typename Fn>
void BroadcastTyped(const ReferenceArgs& args, Fn fn) {
  const In* a = args.in(0).data<In>();
  const In* b = args.in(1).data<In>();
  Out* out = args.out(0).mutable_data<Out>();
  ForBroadcastPairs(args.in(0).shape(), args.in(1).shape(), args.out(0).shape(),
                    [&](int64_t i, int64_t at_a, int64_t at_b) {
                      out[i] = static_cast<Out>(fn(a[at_a], b[at_b]));
                    });
}

// Output of the inputs' type.
template <typename... Ts, typename Fn>
Status BinaryReference(const ReferenceArgs& args, Fn fn) {
  return ForType<Ts...>(args.in(0).dtype(), [&]<typename T>(T) {
    BroadcastTyped<T, T>(args, fn);
    return Ok();
  });
}

// Output of type bool.
template <typename... Ts, typename Fn>
Status ComparisonReference(const ReferenceArgs& args, Fn fn) {
  return ForType<Ts...>(args.in(0).dtype(), [&]<typename T>(T) {
    BroadcastTyped<T, bool>(args, fn);
    return Ok();
  });
}

// How inputs 0 and 1 are read along the output's memory.
native::BinaryShape BinaryShapeOf(const LowerArgs& args);

// f32 and 8-bit numbers with scales; Relu and Clip as post-ops.
Result<std::unique_ptr<Kernel>> LowerFloatBinary(const LowerArgs& args,
                                                 native::BinaryFunction function);

// The rows of a function object on inputs of type In.
template <typename In, typename Out, typename Fn>
void Row(const void* a, int64_t a_stride, const void* b, int64_t b_stride, void* out, int64_t n) {
  const In* x = static_cast<const In*>(a);
  const In* y = static_cast<const In*>(b);
  Out* z = static_cast<Out*>(out);
  for (int64_t i = 0; i < n; ++i) z[i] = static_cast<Out>(Fn()(x[i * a_stride], y[i * b_stride]));
}

// The types Ts by Fn, a function object type; Out void: the inputs' type.
template <typename Fn, typename Out, typename... Ts>
Result<std::unique_ptr<Kernel>> LowerRows(const LowerArgs& args) {
  native::RowFunction row = nullptr;
  TRY(ForType<Ts...>(args.in(0).dtype, [&]<typename T>(T) {
    row = Row<T, std::conditional_t<std::is_void_v<Out>, T, Out>, Fn>;
    return Ok();
  }));
  return native::MakeRowBinary(row, BitsOf(args.in(0).dtype) / 8, BitsOf(args.out(0).dtype) / 8,
                               BinaryShapeOf(args));
}

// Arithmetic: f32 and scaled 8-bit by the native function, other types by Fn.
template <native::BinaryFunction kFunction, typename Fn, typename... Ts>
Result<std::unique_ptr<Kernel>> LowerArithmetic(const LowerArgs& args) {
  if (args.in(0).dtype == DType::kF32 || args.in(0).qparams != nullptr)
    return LowerFloatBinary(args, kFunction);
  return LowerRows<Fn, void, Ts...>(args);
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_BINARY_H
