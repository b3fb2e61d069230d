// ArgMax and ArgMin: what they share.
#include "ops/common/arg_reduce.h"

#include "kernels/native/reduce.h"
#include "ops/common/axes.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

Result<native::ArgReduce> BlocksOf(const Node& node, const Shape& x, DType dtype, bool is_max) {
  ASSIGN_OR_RETURN(const int64_t axis,
                   AxisAttribute(node, "axis", 0, static_cast<int64_t>(x.size())));
  ASSIGN_OR_RETURN(const int64_t last, node.attrs.Int("select_last_index", 0));
  native::ArgReduce r{.is_max = is_max, .last = last != 0, .dtype = dtype};
  for (size_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(axis);
    (i < at ? r.outer : i == at ? r.count : r.inner) *= x[i];
  }
  return r;
}

template <typename T>
void Compute(const native::ArgReduce& r, const T* x, int64_t* y) {
  for (int64_t o = 0; o < r.outer; ++o) {
    for (int64_t i = 0; i < r.inner; ++i) {
      int64_t best = 0;
      for (int64_t k = 0; k < r.count; ++k) {
        const T value = x[(o * r.count + k) * r.inner + i];
        const T so_far = x[(o * r.count + best) * r.inner + i];
        const bool better = r.is_max ? value > so_far : value < so_far;
        if (better || (r.last && value == so_far)) best = k;
      }
      y[o * r.inner + i] = best;
    }
  }
}

}  // namespace

Status InferArgReduce(InferContext& context) {
  ASSIGN_OR_RETURN(const int64_t keepdims, context.attrs().Int("keepdims", 1));
  const Shape* x = context.shape(0);
  std::optional<Shape> out;
  if (x != nullptr) {
    ASSIGN_OR_RETURN(const int64_t axis,
                     AxisAttribute(context.node(), "axis", 0, static_cast<int64_t>(x->size())));
    if ((*x)[static_cast<size_t>(axis)] == 0)
      return Error(Code::kShape, "dimension ", axis, " has no elements");
    out = *x;
    if (keepdims != 0) {
      (*out)[static_cast<size_t>(axis)] = 1;
    } else {
      out->erase(out->begin() + axis);
    }
  }
  context.SetOutput(0, DType::kS64, out);
  return Ok();
}

Status ArgReduceReference(const ReferenceArgs& args, bool is_max) {
  const Tensor& x = args.in(0);
  ASSIGN_OR_RETURN(const native::ArgReduce r, BlocksOf(args.node, x.shape(), x.dtype(), is_max));
  return ForType<float, uint8_t, int8_t, int32_t, int64_t>(x.dtype(), [&]<typename T>(T) {
    Compute(r, x.data<T>(), args.out(0).mutable_data<int64_t>());
    return Ok();
  });
}

Result<std::unique_ptr<Kernel>> LowerArgReduce(const LowerArgs& args, bool is_max) {
  const Operand& x = args.in(0);
  TRY((ForType<float, uint8_t, int8_t, int32_t, int64_t>(x.dtype, [](auto) { return Ok(); })));
  if (NumElements(x.shape) == 0) return Error(Code::kUnsupported, "no elements");
  ASSIGN_OR_RETURN(const native::ArgReduce r, BlocksOf(args.node, x.shape, x.dtype, is_max));
  return native::MakeArgReduce(r);
}

}  // namespace intmill::ops
