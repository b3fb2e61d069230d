// Session: a model compiled for this machine, immutable, run by many threads at once.
#ifndef INTMILL_SESSION_SESSION_H
#define INTMILL_SESSION_SESSION_H

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/table.h"
#include "engine/plan.h"
#include "ir/compiled.h"
#include "ir/graph.h"
#include "passes/pipeline.h"
#include "tensor/tensor.h"

namespace intmill {

struct SessionOptions {
  int64_t threads = 0;       // 0: AvailableCpus()
  int64_t memory_limit = 0;  // bytes; 0: none
  bool profile = false;
  bool references_only = false;  // no passes but shape inference, every node by its reference
  PassOptions passes;
  // What Compiled() of an earlier session of this graph gave; null: nothing. kBadVersion where that
  // was made for another machine, thread count or build, unless it may be rebuilt.
  std::shared_ptr<const CompiledSession> compiled;
  bool rebuild_stale = false;
  // Called before anything reads the constants in compiled->unread; may be empty.
  std::function<Status()> check_weights;
};

class Session {
 public:
  // Compiles at once when all input shapes are static; otherwise on the first run of each shape.
  static Result<std::shared_ptr<const Session>> Create(std::shared_ptr<const Graph> graph,
                                                       SessionOptions options);
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  ~Session();

  // Thread-safe. Inputs in the order of the graph's inputs. outputs[i] that is valid() is written
  // in place (its type and shape must fit) and created otherwise. On failure outputs are untouched
  // where they were not valid. `tap` may be empty.
  Status Run(std::span<const Tensor> inputs, std::span<Tensor> outputs, const Tap& tap = {}) const;

  const Graph& graph() const;
  bool profiles() const;  // created with SessionOptions::profile
  // layer, op, kernel, isa, calls, microseconds, note, multiply_adds, dtype
  Table Profile() const;
  Table Memory() const;  // purpose, bytes, mapped
  // What another process needs for a session like this one, with the plans that there are now;
  // kState when there is none. Compiles them once more.
  Result<CompiledSession> Compiled() const;

  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Buffers fixed once, then runs that allocate nothing. Serves one thread at a time.
class Binding {
 public:
  static Result<std::unique_ptr<Binding>> Create(std::shared_ptr<const Session> session);
  struct Impl;
  explicit Binding(std::unique_ptr<Impl> impl);
  ~Binding();

  // Inputs must be set before Run. Outputs that are not set are made by the first run of a shape.
  Status SetInput(int64_t index, Tensor t);
  Status SetOutput(int64_t index, Tensor t);
  Result<Tensor> Input(int64_t index) const;
  Result<Tensor> Output(int64_t index) const;  // kState before it exists
  Status Run();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_SESSION_SESSION_H
