// Transpose: the axes in another order; without `perm`, in the opposite one.
#include <numeric>

#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Result<Ints> Permutation(const Node& node, int64_t rank) {
  Ints reversed(static_cast<size_t>(rank));
  std::iota(reversed.rbegin(), reversed.rend(), int64_t{0});
  ASSIGN_OR_RETURN(const Ints perm, node.attrs.Ints("perm", reversed));
  if (static_cast<int64_t>(perm.size()) != rank)
    return Error(Code::kInvalidArgument, "attribute 'perm' has ", perm.size(),
                 " axes, input has rank ", rank);
  return NormalizeAxes(perm, rank);
}

Status Infer(InferContext& context) {
  const Shape* shape = context.shape(0);
  std::optional<Shape> out;
  if (shape != nullptr) {
    ASSIGN_OR_RETURN(const Ints perm,
                     Permutation(context.node(), static_cast<int64_t>(shape->size())));
    out = Permuted(*shape, perm);
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  ASSIGN_OR_RETURN(const Ints perm, Permutation(move.node(), move.rank()));
  return std::vector{PartOfInput(move, Permuted(move.in().strides, perm))};
}

constexpr OpDef kOps[] = {{
    .name = "Transpose",
    .traits = kMovesData,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = MoveReference<Parts>,
    .lower = LowerMove<Parts>,
}};

}  // namespace

std::span<const OpDef> TransposeOps() { return kOps; }

}  // namespace intmill::ops
