// What a compiled session keeps, beside its model, for another process that runs the same model on
// the same kind of machine.
#ifndef INTMILL_IR_COMPILED_H
#define INTMILL_IR_COMPILED_H

#include <string>
#include <vector>

#include "ir/graph.h"
#include "tensor/kernel_record.h"

namespace intmill {

// Something that decides which kernels are made, and of what: it must be the same where the session
// is used.
struct CompiledFact {
  std::string name;
  std::string value;
  bool operator==(const CompiledFact&) const = default;
};

// A plan for inputs of these shapes: a record for each kernel, in the order of the plan's nodes.
struct CompiledPlan {
  std::vector<Shape> input_shapes;
  std::vector<KernelRecord> kernels;
};

struct CompiledSession {
  std::vector<CompiledFact> facts;
  std::vector<CompiledPlan> plans;
  // Constants of the model that all plans have in packed form only, so that nothing reads them.
  std::vector<ValueId> unread;
};

}  // namespace intmill

#endif  // INTMILL_IR_COMPILED_H
