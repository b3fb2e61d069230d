// What a plan is made of; shared by the files that build it and run it.
#ifndef INTMILL_ENGINE_PLAN_IMPL_H
#define INTMILL_ENGINE_PLAN_IMPL_H

#include <memory>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace intmill {

// Where an operand lies in a run.
struct Location {
  enum class Kind { kNone, kArena, kConstant, kInput, kOutput };
  Kind kind = Kind::kNone;
  int64_t index = 0;  // kArena: byte offset; kInput, kOutput: position among the model's
  const void* constant = nullptr;
  int64_t reused = 0;  // kArena, of a plan that keeps values: byte offset for a run that need not
};

// A value that a tap may look at once a step is done.
struct TapPoint {
  std::string name;
  DType dtype = DType::kNone;
  Shape physical_shape;
  Layout layout = Layout::kPlain;
  Location location;
};

struct Step {
  std::string layer;
  std::string op;
  std::unique_ptr<Kernel> kernel;
  std::vector<Location> inputs;
  std::vector<Location> outputs;
  int64_t scratch_offset = 0;
  int64_t reused_scratch_offset = 0;
  std::string note;  // why it runs its reference; empty where it does not
  double multiply_adds = 0;
  DType dtype = DType::kNone;  // of its first operand: what it computes with
  std::vector<TapPoint> taps;
};

struct Plan::Impl {
  Isa isa = Isa::kBaseline;
  std::vector<Step> steps;
  std::vector<TapPoint> input_taps;  // graph inputs, and aliases of them
  std::vector<Tensor> constants;     // keeps alive what steps read in place
  std::vector<Shape> input_shapes;
  std::vector<Value> outputs;
  int64_t arena_bytes = 0;
  int64_t arena_lower_bound = 0;
  int64_t reused_bytes = 0;  // of an arena for the reused offsets
  int64_t packed_bytes = 0;
  int64_t mapped_bytes = 0;
  int64_t constant_bytes = 0;
};

}  // namespace intmill

#endif  // INTMILL_ENGINE_PLAN_IMPL_H
