// Gather: the slices of an axis that the indices name; negative ones count from the end.
#include "kernels/native/gather.h"

#include <cstring>

#include "ops/common/movement.h"
#include "ops/common/post_ops.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const DType index_type = context.dtype(1);
  if (index_type != DType::kNone && index_type != DType::kS32 && index_type != DType::kS64)
    return Error(Code::kInvalidArgument, "indices are ", DTypeName(index_type));
  const Shape* data = context.shape(0);
  const Shape* indices = context.shape(1);
  std::optional<Shape> out;
  if (data != nullptr && indices != nullptr) {
    ASSIGN_OR_RETURN(const int64_t axis,
                     AxisAttribute(context.node(), "axis", 0, static_cast<int64_t>(data->size())));
    out = *data;
    const auto at = out->begin() + axis;
    out->insert(out->erase(at), indices->begin(), indices->end());
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// The data as `outer` blocks of `axis` slices of `inner` elements.
struct Blocks {
  int64_t outer = 1;
  int64_t axis = 1;
  int64_t inner = 1;
};

Result<Blocks> BlocksOf(const Node& node, const Shape& data) {
  const auto rank = static_cast<int64_t>(data.size());
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(node, "axis", 0, rank));
  Blocks blocks;
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t dim = data[static_cast<size_t>(d)];
    (d < axis ? blocks.outer : d == axis ? blocks.axis : blocks.inner) *= dim;
  }
  return blocks;
}

Status Reference(const ReferenceArgs& args) {
  const Tensor& data = args.in(0);
  ASSIGN_OR_RETURN(const Ints indices, ToInts(args.in(1)));
  ASSIGN_OR_RETURN(const Blocks blocks, BlocksOf(args.node, data.shape()));
  const int64_t bits = BitsOf(data.dtype());
  if (bits < 8) return Error(Code::kUnsupported, "element type ", DTypeName(data.dtype()));
  const int64_t bytes = blocks.inner * bits / 8;
  auto* out = args.out(0).mutable_data<std::byte>();
  for (int64_t o = 0; o < blocks.outer; ++o) {
    for (int64_t index : indices) {
      if (index < -blocks.axis || index >= blocks.axis)
        return Error(Code::kInvalidArgument, "index ", index, " is outside an axis of ",
                     blocks.axis);
      if (index < 0) index += blocks.axis;
      if (bytes == 0) continue;
      std::memcpy(out, data.data<std::byte>() + (o * blocks.axis + index) * bytes,
                  static_cast<size_t>(bytes));
      out += bytes;
    }
  }
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  TRY(CheckSameScale(args.in(0), args.out(0)));
  ASSIGN_OR_RETURN(const Blocks blocks, BlocksOf(args.node, args.in(0).shape));
  const int64_t bits = BitsOf(args.in(0).dtype);
  if (bits < 8) return Error(Code::kUnsupported, "element type ", DTypeName(args.in(0).dtype));
  return native::MakeGather({.outer = blocks.outer,
                             .axis = blocks.axis,
                             .inner_bytes = blocks.inner * bits / 8,
                             .indices = NumElements(args.in(1).shape),
                             .long_indices = args.in(1).dtype == DType::kS64});
}

constexpr OpDef kOps[] = {{
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kMovesData,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> GatherOps() { return kOps; }

}  // namespace intmill::ops
