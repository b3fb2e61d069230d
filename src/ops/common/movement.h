// Operators that only move elements: each says where its blocks of elements come from and go to,
// and both the reference and the kernel follow.
#ifndef INTMILL_OPS_COMMON_MOVEMENT_H
#define INTMILL_OPS_COMMON_MOVEMENT_H

#include "kernels/native/strided_copy.h"
#include "ops/common/axes.h"
#include "ops/common/layout.h"

namespace intmill::ops {

// What such an operator sees: shapes, where memory lies, and the values of its small inputs.
class Move {
 public:
  struct Side {
    bool present = false;
    Shape shape;
    Shape strides;
  };

  Move(const Node& node, std::vector<Side> inputs, std::vector<const Tensor*> values,
       std::vector<Side> outputs)
      : node_(node),
        inputs_(std::move(inputs)),
        values_(std::move(values)),
        outputs_(std::move(outputs)) {}

  const Node& node() const { return node_; }
  const std::vector<Side>& inputs() const { return inputs_; }
  const std::vector<Side>& outputs() const { return outputs_; }
  const Side& in(int64_t i = 0) const { return inputs_[static_cast<size_t>(i)]; }
  const Side& out(int64_t i = 0) const { return outputs_[static_cast<size_t>(i)]; }
  int64_t rank() const { return static_cast<int64_t>(in().shape.size()); }

  // The values of input i, or the fallback when absent; kUnsupported when not known yet.
  Result<Ints> ints(int64_t i, Ints fallback) const;

 private:
  const Node& node_;
  std::vector<Side> inputs_;
  std::vector<const Tensor*> values_;
  std::vector<Side> outputs_;
};

// Output 0 filled from input 0 read with these strides.
native::CopyPart PartOfInput(const Move& move, Shape input_strides, int64_t input_offset = 0);

using PartsFunction = Result<std::vector<native::CopyPart>> (*)(const Move& move);
Status MoveReference(const ReferenceArgs& args, PartsFunction parts);
Result<std::unique_ptr<Kernel>> LowerMove(const LowerArgs& args, PartsFunction parts);

template <PartsFunction kParts>
Status MoveReference(const ReferenceArgs& args) {
  return MoveReference(args, kParts);
}
template <PartsFunction kParts>
Result<std::unique_ptr<Kernel>> LowerMove(const LowerArgs& args) {
  return LowerMove(args, kParts);
}

// For kAlias operators: all of input 0, in order.
Status AliasReference(const ReferenceArgs& args);
Result<std::unique_ptr<Kernel>> LowerAlias(const LowerArgs& args);

// kUnsupported unless these 8-bit operands stand for the same real numbers.
Status CheckSameScale(const Operand& in, const Operand& out);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_MOVEMENT_H
