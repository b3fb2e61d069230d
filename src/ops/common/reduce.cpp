// The Reduce operators: what they share.
#include "ops/common/reduce.h"

#include "ops/common/axes.h"
#include "ops/common/post_ops.h"

namespace intmill::ops {

Status UpgradeReduce(Graph& graph, Node& node, int64_t) {
  return IntsToInput(graph, node, "axes", 1);
}

Result<std::vector<bool>> ReducedDims(const Node& node, int64_t rank, const Tensor* axes) {
  Ints given;
  if (axes != nullptr) {
    ASSIGN_OR_RETURN(given, ToInts(*axes));
  }
  ASSIGN_OR_RETURN(given, NormalizeAxes(given, rank));
  ASSIGN_OR_RETURN(const int64_t noop, node.attrs.Int("noop_with_empty_axes", 0));
  std::vector<bool> reduced(static_cast<size_t>(rank), given.empty() && noop == 0);
  for (const int64_t axis : given) reduced[static_cast<size_t>(axis)] = true;
  return reduced;
}

Status InferReduce(InferContext& context) {
  ASSIGN_OR_RETURN(const int64_t keepdims, context.attrs().Int("keepdims", 1));
  const Shape* x = context.shape(0);
  const bool axes_known = !context.has_input(1) || context.constant(1) != nullptr;
  std::optional<Shape> out;
  if (x != nullptr && axes_known) {
    ASSIGN_OR_RETURN(
        const std::vector<bool> reduced,
        ReducedDims(context.node(), static_cast<int64_t>(x->size()), context.constant(1)));
    out = Shape();
    for (size_t i = 0; i < x->size(); ++i) {
      if (!reduced[i]) {
        out->push_back((*x)[i]);
      } else if (keepdims != 0) {
        out->push_back(1);
      }
    }
  } else if (x != nullptr && keepdims != 0) {
    out = Unknown(static_cast<int64_t>(x->size()));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

void ForReduced(const Shape& shape, const std::vector<bool>& reduced,
                const std::function<void(int64_t, int64_t)>& fn) {
  const int64_t elements = NumElements(shape);
  for (int64_t i = 0; i < elements; ++i) {
    int64_t rest = i;
    int64_t to = 0;
    int64_t stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      if (!reduced[d]) {
        to += rest % shape[d] * stride;
        stride *= shape[d];
      }
      rest /= shape[d];
    }
    fn(to, i);
  }
}

Result<std::unique_ptr<Kernel>> LowerReduce(const LowerArgs& args, native::Reduction reduction) {
  const Operand& x = args.in(0);
  const Operand& out = args.out(0);
  if (x.dtype != out.dtype)
    return Error(Code::kUnsupported, "element types ", DTypeName(x.dtype), " to ",
                 DTypeName(out.dtype));
  if (NumElements(x.shape) == 0) return Error(Code::kUnsupported, "no elements");
  if (args.has(1) && args.in(1).constant == nullptr)
    return Error(Code::kUnsupported, "axes that are not constant");
  native::Reduce r{.reduction = reduction, .shape = x.shape, .dtype = x.dtype};
  ASSIGN_OR_RETURN(r.reduced, ReducedDims(args.node, static_cast<int64_t>(x.shape.size()),
                                          args.has(1) ? args.in(1).constant : nullptr));
  ASSIGN_OR_RETURN(const Clamp clamp, ClampOfPostOps(args.node));
  r.low = clamp.low;
  r.high = clamp.high;
  if (x.dtype == DType::kF32) return native::MakeReduce(r);
  if (reduction == native::Reduction::kMax || reduction == native::Reduction::kMin) {
    TRY(RefusePostOps(args.node));
    return native::MakeReduce(r);
  }
  if (x.qparams == nullptr || out.qparams == nullptr || !x.qparams->per_tensor() ||
      !out.qparams->per_tensor())
    return Error(Code::kUnsupported, "8-bit sums without one scale each");
  double factor = static_cast<double>(x.qparams->scales[0]) / out.qparams->scales[0];
  const int64_t n = NumElements(x.shape) / NumElements(out.shape);
  if (reduction == native::Reduction::kMean) factor /= static_cast<double>(n);
  r.factor = static_cast<float>(factor);
  r.in_zero_point = x.qparams->zero_points[0];
  r.out_zero_point = out.qparams->zero_points[0];
  r.low /= out.qparams->scales[0];
  r.high /= out.qparams->scales[0];
  return native::MakeReduce(r);
}

}  // namespace intmill::ops
