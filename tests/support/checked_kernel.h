// Holds every kernel of a plan against the operator's reference, on the data of a real run.
#ifndef INTMILL_TESTS_SUPPORT_CHECKED_KERNEL_H
#define INTMILL_TESTS_SUPPORT_CHECKED_KERNEL_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace intmill::test {

// What one step did, next to what its reference does with the same inputs.
struct StepCheck {
  std::string layer;
  std::string op;
  std::string kernel;
  bool integers = false;  // output integers that stand for real numbers
  int64_t values = 0;
  int64_t different = 0;   // integers that are not equal
  double worst = 0;        // integers: in steps; floats: |a - b| / max |b| over the tensor
  double table_steps = 1;  // how far apart a table behind the kernel puts neighbours, if more
  uint64_t read = 0;       // a hash of what the chosen kernel read
  uint64_t bits = 0;       // a hash of what it wrote
};

// Collects the checks of all steps. Outlives the plan.
class Checks {
 public:
  // Without references nothing is compared with them: `bits` is all that a check says.
  explicit Checks(bool with_references = true) : with_references_(with_references) {}

  // A step that reads and writes the same bits as in `known` (of the same graph, run before; may be
  // null) has been compared there: its reference does not run again.
  KernelHook Hook(const Checks* known = nullptr);
  const std::vector<std::shared_ptr<StepCheck>>& steps() const { return steps_; }

 private:
  const bool with_references_;
  std::vector<std::shared_ptr<StepCheck>> steps_;
};

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_CHECKED_KERNEL_H
