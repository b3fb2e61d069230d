// Operators that only move elements: each says where its blocks of elements come from and go to,
// and both the reference and the kernel follow.
#include "ops/common/movement.h"

#include <cstring>

#include "ops/common/byte_table.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

Move::Side SideOf(const Tensor* t) {
  if (t == nullptr || !t->valid()) return {};
  return {.present = true, .shape = t->shape(), .strides = RowMajorStrides(t->shape())};
}

Move::Side SideOf(const Operand& o) {
  if (!o.present) return {};
  return {.present = true, .shape = o.shape, .strides = PhysicalStrides(o)};
}

// By definition: one element after the other.
template <typename T>
void CopyPlainly(const native::CopyPart& part, const Tensor& in, Tensor& out) {
  const T* from = static_cast<const T*>(in.data<void>()) + part.input_offset;
  T* to = static_cast<T*>(out.mutable_data<void>()) + part.output_offset;
  const int64_t elements = NumElements(part.shape);
  for (int64_t i = 0; i < elements; ++i) {
    int64_t rest = i;
    int64_t at_in = 0;
    int64_t at_out = 0;
    for (size_t d = part.shape.size(); d-- > 0;) {
      at_in += rest % part.shape[d] * part.input_strides[d];
      at_out += rest % part.shape[d] * part.output_strides[d];
      rest /= part.shape[d];
    }
    to[at_out] = from[at_in];
  }
}

// Inputs of another scale than the output, as Concat may have, are rescaled on the way.
Status SetTable(const Operand& in, const Operand& out, native::CopyPart& part) {
  // move_qdq made integers of what is moved, and not all of them tell their scale.
  const bool tells_both = in.qparams != nullptr && out.qparams != nullptr;
  if ((!tells_both && in.dtype == out.dtype) || CheckSameScale(in, out).ok()) return Ok();
  if (!IsScaledByte(in) || !IsScaledByte(out)) return CheckSameScale(in, out);
  ASSIGN_OR_RETURN(const native::ByteTable table, RescaleTable(*in.qparams, *out.qparams));
  part.table = std::make_shared<const native::ByteTable>(table);
  return Ok();
}

}  // namespace

Result<Ints> Move::ints(int64_t i, Ints fallback) const {
  const auto at = static_cast<size_t>(i);
  if (at >= inputs_.size() || !inputs_[at].present) return fallback;
  if (values_[at] == nullptr) return Error(Code::kUnsupported, "input ", i, " is not a constant");
  return ToInts(*values_[at]);
}

native::CopyPart PartOfInput(const Move& move, Shape input_strides, int64_t input_offset) {
  return {.input_offset = input_offset,
          .shape = move.out().shape,
          .input_strides = std::move(input_strides),
          .output_strides = move.out().strides};
}

Status MoveReference(const ReferenceArgs& args, PartsFunction parts_of) {
  std::vector<Move::Side> inputs;
  for (const Tensor* t : args.inputs) inputs.push_back(SideOf(t));
  std::vector<Move::Side> outputs;
  for (const Tensor& t : args.outputs) outputs.push_back(SideOf(&t));
  const Move move(args.node, inputs, {args.inputs.begin(), args.inputs.end()}, outputs);
  ASSIGN_OR_RETURN(const std::vector<native::CopyPart> parts, parts_of(move));
  return ForElementSize(args.in(0).dtype(), [&]<typename T>(T) {
    for (const native::CopyPart& part : parts)
      CopyPlainly<T>(part, args.in(part.input), args.out(part.output));
    return Ok();
  });
}

Status CheckSameScale(const Operand& in, const Operand& out) {
  if (in.qparams == nullptr && out.qparams == nullptr) return Ok();
  if (in.qparams == nullptr || out.qparams == nullptr || *in.qparams != *out.qparams)
    return Error(Code::kUnsupported, "input and output have different scales");
  if (!in.qparams->per_tensor())
    return Error(Code::kUnsupported, "activations with a scale per channel");
  return Ok();
}

Result<std::unique_ptr<Kernel>> LowerMove(const LowerArgs& args, PartsFunction parts_of) {
  TRY(RefusePostOps(args.node));
  std::vector<Move::Side> inputs;
  std::vector<const Tensor*> values;
  for (const Operand& o : args.inputs) {
    inputs.push_back(SideOf(o));
    values.push_back(o.constant);
  }
  std::vector<Move::Side> outputs;
  for (const Operand& o : args.outputs) outputs.push_back(SideOf(o));
  ASSIGN_OR_RETURN(std::vector<native::CopyPart> parts,
                   parts_of(Move(args.node, inputs, values, outputs)));
  for (native::CopyPart& part : parts)
    TRY(SetTable(args.in(part.input), args.out(part.output), part));
  const int64_t bits = BitsOf(args.out(0).dtype);
  if (bits < 8) return UnsupportedType(args.out(0).dtype);
  return native::MakeStridedCopy(bits / 8, std::move(parts), args.isa);
}

Status AliasReference(const ReferenceArgs& args) {
  const auto bytes = static_cast<size_t>(args.out(0).bytes());
  if (bytes > 0) std::memcpy(args.out(0).mutable_data<void>(), args.in(0).data<void>(), bytes);
  return Ok();
}

Result<std::unique_ptr<Kernel>> LowerAlias(const LowerArgs& args) {
  return LowerMove(args, [](const Move& move) -> Result<std::vector<native::CopyPart>> {
    native::CopyPart part = PartOfInput(move, {1});
    part.shape = {NumElements(move.out().shape)};
    part.output_strides = {1};
    return std::vector<native::CopyPart>{part};
  });
}

}  // namespace intmill::ops
