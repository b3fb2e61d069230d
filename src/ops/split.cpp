// Split: a tensor cut along an axis, by given lengths or into parts as equal as possible.
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

// Without lengths, all parts but the last are ceil(dim / count) long.
Result<Ints> Lengths(const Ints& given, bool has_lengths, int64_t dim, int64_t count) {
  if (has_lengths) {
    int64_t sum = 0;
    for (const int64_t length : given) {
      if (length < 0 || length > dim - sum)
        return Error(Code::kShape, "lengths do not add up to the dimension ", dim);
      sum += length;
    }
    if (sum == dim && static_cast<int64_t>(given.size()) == count) return given;
    return Error(Code::kShape, given.size(), " lengths of together ", sum, ", wanted ", count,
                 " of together ", dim);
  }
  const int64_t longest = (dim + count - 1) / count;
  Ints lengths;
  for (int64_t i = 0; i < count; ++i)
    lengths.push_back(std::max<int64_t>(0, std::min(longest, dim - i * longest)));
  return lengths;
}

Status Infer(InferContext& context) {
  const Shape* shape = context.shape(0);
  const int64_t count = context.output_count();
  ASSIGN_OR_RETURN(const int64_t wanted, context.attrs().Int("num_outputs", count));
  if (wanted != count)
    return Error(Code::kInvalidArgument, "attribute 'num_outputs' is ", wanted, ", outputs are ",
                 count);
  ASSIGN_OR_RETURN(const std::optional<Ints> given, KnownInts(context, 1, {}));
  for (int64_t i = 0; i < count; ++i) {
    std::optional<Shape> out;
    if (shape != nullptr) {
      out = *shape;
      ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(context.node(), "axis", 0,
                                                         static_cast<int64_t>(shape->size())));
      int64_t& dim = (*out)[static_cast<size_t>(axis)];
      if (given && dim != kDynamic) {
        ASSIGN_OR_RETURN(const Ints lengths, Lengths(*given, context.has_input(1), dim, count));
        dim = lengths[static_cast<size_t>(i)];
      } else {
        dim = kDynamic;
      }
    }
    context.SetOutput(i, context.dtype(0), out);
  }
  return Ok();
}

Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(move.node(), "axis", 0, move.rank()));
  const auto at = static_cast<size_t>(axis);
  ASSIGN_OR_RETURN(const Ints given, move.ints(1, {}));
  const bool has_lengths = move.inputs().size() > 1 && move.in(1).present;
  const auto count = static_cast<int64_t>(move.outputs().size());
  ASSIGN_OR_RETURN(const Ints lengths, Lengths(given, has_lengths, move.in().shape[at], count));
  std::vector<native::CopyPart> parts;
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (move.out(i).present)
      parts.push_back({.output = i,
                       .input_offset = offset,
                       .shape = move.out(i).shape,
                       .input_strides = move.in().strides,
                       .output_strides = move.out(i).strides});
    offset += lengths[static_cast<size_t>(i)] * move.in().strides[at];
  }
  return parts;
}

// Until opset 12, the lengths were an attribute.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  return opset < 13 ? IntsToInput(graph, node, "split", 1) : Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Split",
    .max_inputs = 2,
    .max_outputs = INT64_MAX,
    .traits = kMovesData,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = MoveReference<Parts>,
    .lower = LowerMove<Parts>,
}};

}  // namespace

std::span<const OpDef> SplitOps() { return kOps; }

}  // namespace intmill::ops
