// Plan: a graph with static shapes compiled to bound steps, one arena, and packed weights.
#ifndef INTMILL_ENGINE_PLAN_H
#define INTMILL_ENGINE_PLAN_H

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/hooks.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "ir/op.h"
#include "kernels/kernel.h"
#include "tensor/kernel_record.h"

namespace intmill {

// Sees every kernel that a plan chose, and may put another in its place.
using KernelHook = std::function<Result<std::unique_ptr<Kernel>>(const LowerArgs& args,
                                                                 std::unique_ptr<Kernel> chosen)>;

struct PlanOptions {
  bool references_only = false;  // every node by its reference: the truth that kernels are held to
  int64_t memory_limit = 0;      // bytes of arena and packed weights; 0: none
  bool keep_values = false;      // every value has memory of its own, for a Replay
  Hooks hooks;
  // For each kernel that a node got, in order: filled in, or followed (then kBadFormat says what
  // does not fit). At most one of them.
  std::vector<KernelRecord>* written_records = nullptr;
  const std::vector<KernelRecord>* followed_records = nullptr;
  KernelHook kernel_hook;  // may be empty; how each kernel is held against its reference
};

// Called after the step that computed a value, with its memory, valid during the call. The shape is
// in memory order: a channels-last value comes with its channels last.
using Tap =
    std::function<Status(const std::string& value_name, const Tensor& tensor, Layout layout)>;

class RunState;

// Immutable; shared by any number of run states.
class Plan {
 public:
  // `graph` comes from Specialize: all shapes static, inferred, verified.
  static Result<std::shared_ptr<const Plan>> Compile(const Graph& graph,
                                                     const PlanOptions& options);
  struct Impl;
  explicit Plan(std::unique_ptr<Impl> impl);
  ~Plan();

  Isa isa() const;  // effective when it was compiled
  int64_t arena_bytes() const;
  int64_t arena_lower_bound() const;  // the largest sum of tensors alive at once
  int64_t packed_bytes() const;
  int64_t mapped_bytes() const;    // of these, followed records: memory that a file may back
  int64_t constant_bytes() const;  // read in place
  // layer, op, kernel, note (why a step runs its reference), multiply_adds (of products, else 0),
  // dtype (of the first operand)
  Table Steps() const;
  const std::vector<Shape>& input_shapes() const;
  const std::vector<Value>& outputs() const;  // name, dtype, shape of each graph output

  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// One thread's memory for a plan. After the first run, runs allocate nothing.
class RunState {
 public:
  static Result<std::unique_ptr<RunState>> Create(std::shared_ptr<const Plan> plan, bool profile);
  struct Impl;
  explicit RunState(std::unique_ptr<Impl> impl);
  ~RunState();

  // Inputs and outputs are dense row-major memory of the plan's types and shapes, read and written
  // in place where layouts allow. `tap` may be empty.
  Status Run(std::span<const void* const> inputs, std::span<void* const> outputs, const Tap& tap);

  // Of each step since the last ClearTimes; zero unless created with `profile`.
  struct StepTime {
    int64_t calls = 0;
    double microseconds = 0;
  };
  std::span<const StepTime> times() const;
  void ClearTimes();
  const Plan& plan() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_ENGINE_PLAN_H
