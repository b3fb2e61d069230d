// Clip: min(max(x, low), high); either bound may be missing.
#include <limits>

#include "ops/common/axes.h"
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <typename T>
T BoundOr(const Tensor* bound, T fallback) {
  return bound == nullptr ? fallback : *bound->data<T>();
}

const Tensor* InputOrNull(const ReferenceArgs& args, int64_t i) {
  return args.has(i) ? &args.in(i) : nullptr;
}

Status Infer(InferContext& context) {
  for (int64_t i = 1; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const DType dtype = context.dtype(i);
    if (dtype != DType::kNone && context.dtype(0) != DType::kNone && dtype != context.dtype(0))
      return Error(Code::kInvalidArgument, "input 0 is ", DTypeName(context.dtype(0)),
                   ", the bound is ", DTypeName(dtype));
    const Shape* shape = context.shape(i);
    if (shape != nullptr && IsStatic(*shape) && NumElements(*shape) != 1)
      return Error(Code::kShape, "a bound has shape ", ToString(*shape), ", wanted one element");
  }
  return InferSame(context);
}

Status Reference(const ReferenceArgs& args) {
  return ForType<float, uint8_t, int8_t, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    using Limits = std::numeric_limits<T>;
    const bool has_infinity = Limits::has_infinity;
    const T low =
        BoundOr<T>(InputOrNull(args, 1), has_infinity ? -Limits::infinity() : Limits::lowest());
    const T high =
        BoundOr<T>(InputOrNull(args, 2), has_infinity ? Limits::infinity() : Limits::max());
    // Where the bounds cross, the upper one wins. NaN stays NaN.
    return UnaryReference<T>(args, [=](T x) {
      const T raised = x < low ? low : x;
      return raised > high ? high : raised;
    });
  });
}

struct Bounds {
  float low = -kInfinity;
  float high = kInfinity;
};

Result<float> ConstantBound(const Operand* operand, float fallback) {
  if (operand == nullptr) return fallback;
  if (operand->constant == nullptr) return Error(Code::kUnsupported, "a bound is not a constant");
  return *operand->constant->data<float>();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  if (args.in(0).qparams != nullptr) return LowerTable(args);
  if (args.in(0).dtype != DType::kF32) return UnsupportedType(args.in(0).dtype);
  ASSIGN_OR_RETURN(const float low, ConstantBound(args.has(1) ? &args.in(1) : nullptr, -kInfinity));
  ASSIGN_OR_RETURN(const float high, ConstantBound(args.has(2) ? &args.in(2) : nullptr, kInfinity));
  return LowerUnary(args, {.function = native::UnaryFunction::kClip, .alpha = low, .beta = high});
}

Result<PostOp> AsPostOp(const Graph& graph, const Node& node) {
  PostOp post_op{.kind = PostOp::Kind::kClip, .alpha = -kInfinity, .beta = kInfinity};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const Tensor* bound = graph.ConstantOf(node.inputs[i]);
    if (bound == nullptr || bound->dtype() != DType::kF32 || bound->elements() != 1)
      return Error(Code::kUnsupported, "a bound is not a constant");
    (i == 1 ? post_op.alpha : post_op.beta) = *bound->data<float>();
  }
  return post_op;
}

// Until opset 10, the bounds were attributes.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  if (opset >= 11) return Ok();
  TRY(FloatToInput(graph, node, "min", 1));
  return FloatToInput(graph, node, "max", 2);
}

constexpr OpDef kOps[] = {{
    .name = "Clip",
    .max_inputs = 3,
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = AsPostOp,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> ClipOps() { return kOps; }

}  // namespace intmill::ops
