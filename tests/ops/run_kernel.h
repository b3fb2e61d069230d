// Lowers a node for given operands and runs the kernel in every way that must give the same bits.
#ifndef INTMILL_TESTS_OPS_RUN_KERNEL_H
#define INTMILL_TESTS_OPS_RUN_KERNEL_H

#include <vector>

#include "ir/op.h"
#include "tensor/tensor.h"

namespace intmill::test {

struct OperandLayouts {
  std::vector<Layout> inputs;
  std::vector<Layout> outputs;
};
// The layouts that the operator's rule allows for these tensors; constants are always plain.
std::vector<OperandLayouts> AllowedLayouts(const Node& node, const std::vector<Tensor>& inputs,
                                           const std::vector<bool>& constant,
                                           const std::vector<Tensor>& outputs);

// The ISA levels that this machine can run, baseline first.
std::vector<Isa> IsaLevels();

struct KernelCase {
  const Node* node = nullptr;
  std::vector<Tensor> inputs;  // plain; qparams, where set, are the operand's
  std::vector<bool> constant;
  std::vector<Tensor> outputs;  // types, shapes and qparams wanted; the values are ignored
};

// The kernel's outputs in plain layout, equal for 1, 2 and 4 threads; kUnsupported when there is
// no kernel.
Result<std::vector<Tensor>> RunKernel(const KernelCase& kernel_case, const OperandLayouts& layouts,
                                      Isa isa);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_RUN_KERNEL_H
