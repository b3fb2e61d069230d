// Where: elements of one tensor where the condition holds, of another where it does not.
#include "kernels/native/select.h"
#include "ops/common/binary.h"
#include "ops/common/post_ops.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const DType a = context.dtype(1);
  const DType b = context.dtype(2);
  if (a != DType::kNone && b != DType::kNone && a != b)
    return Error(Code::kInvalidArgument, "input 1 is ", DTypeName(a), ", input 2 is ",
                 DTypeName(b));
  const DType condition = context.dtype(0);
  if (condition != DType::kNone && condition != DType::kBool)
    return Error(Code::kInvalidArgument, "the condition is ", DTypeName(condition));
  ASSIGN_OR_RETURN(const std::optional<Shape> shape, BroadcastInputs(context));
  context.SetOutput(0, a, shape);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  const Shape& out_shape = args.out(0).shape();
  const bool* condition = args.in(0).data<bool>();
  return ForElementSize(args.out(0).dtype(), [&]<typename T>(T) {
    T* out = static_cast<T*>(args.out(0).mutable_data<void>());
    for (const int64_t side : {2, 1}) {  // first what holds where the condition does not
      const T* x = static_cast<const T*>(args.in(side).data<void>());
      ForBroadcastPairs(args.in(0).shape(), args.in(side).shape(), out_shape,
                        [&](int64_t i, int64_t at_condition, int64_t at) {
                          if (condition[at_condition] == (side == 1)) out[i] = x[at];
                        });
    }
    return Ok();
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  const Operand& out = args.out(0);
  if (out.qparams != nullptr) return Error(Code::kUnsupported, "numbers with scales");
  const std::vector<int64_t> order =
      MemoryOrder(static_cast<int64_t>(out.shape.size()), out.layout);
  native::SelectShape shape{.shape = Permuted(out.shape, order)};
  for (const Operand& in : args.inputs)
    shape.strides.push_back(
        Permuted(BroadcastStrides(in.shape, PhysicalStrides(in), out.shape), order));
  return native::MakeSelect(shape, BitsOf(out.dtype));
}

constexpr OpDef kOps[] = {{
    .name = "Where",
    .min_inputs = 3,
    .max_inputs = 3,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> WhereOps() { return kOps; }

}  // namespace intmill::ops
