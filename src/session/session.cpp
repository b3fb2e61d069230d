// Sessions: plans by input shape, run states lent to the threads that run.
#include "session/session.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/cpu_share.h"
#include "base/parallel.h"
#include "engine/machine.h"
#include "session/check_io.h"
#include "session/session_impl.h"

namespace intmill {
namespace {

// References run the graph as it is: shapes are fixed and folded, and nothing is rewritten.
PassOptions WithoutRewrites(PassOptions options) {
  for (const std::string_view name : PassNames())
    if (name != "fold_shapes" && name != "fold_constants" && name != "prune")
      options.disabled.emplace_back(name);
  return options;
}

Result<Graph> PrepareGraph(const Graph& graph, std::span<const Shape> shapes,
                           std::span<const Tensor> values, const PassOptions& passes) {
  if (values.empty()) return Specialize(graph, shapes, passes);
  return Specialize(WithShapeValues(graph, values), shapes, passes);
}

// An input that a shape may depend on; then only a run can tell whether there is a plan.
bool MayHoldShape(const Value& port) {
  return port.dtype != DType::kF32 || (port.shape && port.shape->size() <= 1);
}

}  // namespace

Session::Impl::Impl(std::shared_ptr<const Graph> g, SessionOptions o)
    : graph(std::move(g)),
      options(std::move(o)),
      threads(options.threads > 0 ? options.threads : AvailableCpus()),
      plans([this](std::span<const Shape> shapes, std::span<const Tensor> values) {
        return BuildPlan(shapes, values);
      }) {}

PassOptions Session::Impl::Passes() const {
  PassOptions passes = options.references_only ? WithoutRewrites(options.passes) : options.passes;
  passes.bf16_products = MultipliesBf16();
  return passes;
}

Result<std::shared_ptr<const Plan>> Session::Impl::BuildPlan(std::span<const Shape> shapes,
                                                             std::span<const Tensor> values) const {
  // Kernels divide their work by the thread count that they were made under.
  const ThreadScope scope(threads);
  const CompiledPlan* const compiled = values.empty() ? CompiledFor(shapes) : nullptr;
  if (compiled == nullptr && options.check_weights) TRY(options.check_weights());
  ASSIGN_OR_RETURN(const Graph ready, PrepareGraph(*graph, shapes, values, Passes()));
  PlanOptions plan{.references_only = options.references_only,
                   .memory_limit = options.memory_limit,
                   .hooks = options.passes.hooks};
  if (compiled == nullptr) return Plan::Compile(ready, plan);
  plan.followed_records = &compiled->kernels;
  Result<std::shared_ptr<const Plan>> followed = Plan::Compile(ready, plan);
  if (followed.status().code() != Code::kBadFormat || !options.rebuild_stale) return followed;
  plan.followed_records = nullptr;
  if (options.check_weights) TRY(options.check_weights());
  return Plan::Compile(ready, plan);
}

Status Session::Impl::CheckInputs(std::span<const Tensor> inputs) const {
  if (inputs.size() != graph->inputs.size())
    return Error(Code::kInvalidArgument, "found ", inputs.size(), " inputs, the model has ",
                 graph->inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) TRY(CheckInputFits(*graph, i, inputs[i]));
  return CheckNamedDims(*graph, inputs);
}

Status Session::Impl::PrepareOutput(const Plan& plan, size_t i, Tensor& output) const {
  const Value& wanted = plan.outputs()[i];
  if (!output.valid()) {
    const int64_t bytes = NumBytes(*wanted.shape, wanted.dtype);
    if (options.memory_limit > 0 && bytes > options.memory_limit)
      return Error(Code::kOutOfMemory, "output '", wanted.name, "' takes ", bytes,
                   " bytes, the limit is ", options.memory_limit);
    ASSIGN_OR_RETURN(output, Tensor::Make(wanted.dtype, *wanted.shape));
    return Ok();
  }
  if (output.dtype() == wanted.dtype && output.shape() == *wanted.shape) return Ok();
  return Error(Code::kShape, "output '", wanted.name, "': found ", DTypeName(output.dtype()), " ",
               ToString(output.shape()), ", wanted ", DTypeName(wanted.dtype), " ",
               ToString(*wanted.shape));
}

Status Session::Impl::RunOn(RunState& state, std::span<const Tensor> inputs,
                            std::span<Tensor> outputs, const Tap& tap) const {
  constexpr size_t kInline = 16;  // most models have fewer ports, and a run must not allocate
  const void* few_inputs[kInline];
  void* few_outputs[kInline];
  std::vector<const void*> many_inputs(inputs.size() > kInline ? inputs.size() : 0);
  std::vector<void*> many_outputs(outputs.size() > kInline ? outputs.size() : 0);
  const void** in = inputs.size() > kInline ? many_inputs.data() : few_inputs;
  void** out = outputs.size() > kInline ? many_outputs.data() : few_outputs;
  for (size_t i = 0; i < inputs.size(); ++i) in[i] = inputs[i].data<void>();
  for (size_t i = 0; i < outputs.size(); ++i) out[i] = outputs[i].mutable_data<void>();
  const CpuShare share(threads);
  const ThreadScope scope(threads);
  return state.Run({in, inputs.size()}, {out, outputs.size()}, tap);
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Result<std::shared_ptr<const Session>> Session::Create(std::shared_ptr<const Graph> graph,
                                                       SessionOptions options) {
  if (options.threads < 0)
    return Error(Code::kInvalidArgument, "threads: found ", options.threads, ", wanted 0 or more");
  auto impl = std::make_unique<Impl>(std::move(graph), std::move(options));
  TRY(impl->CheckCompiled());
  std::vector<Shape> shapes;
  bool all_static = true;
  bool may_hold_shape = false;
  for (const ValueId id : impl->graph->inputs) {
    const Value& port = impl->graph->value(id);
    all_static = all_static && port.shape && IsStatic(*port.shape);
    may_hold_shape = may_hold_shape || MayHoldShape(port);
    if (all_static) shapes.push_back(*port.shape);
  }
  if (all_static) {
    const Status status = impl->plans.Warm(shapes);
    if (!status.ok() && !(status.code() == Code::kUnsupported && may_hold_shape)) return status;
  }
  return std::make_shared<const Session>(std::move(impl));
}

Status Session::Run(std::span<const Tensor> inputs, std::span<Tensor> outputs,
                    const Tap& tap) const {
  TRY(impl_->CheckInputs(inputs));
  if (outputs.size() != graph().outputs.size())
    return Error(Code::kInvalidArgument, "found room for ", outputs.size(),
                 " outputs, the model has ", graph().outputs.size());
  ASSIGN_OR_RETURN(const std::shared_ptr<PlanEntry> entry, impl_->plans.Get(inputs));
  std::vector<Tensor> results(outputs.begin(), outputs.end());
  for (size_t i = 0; i < results.size(); ++i)
    TRY(impl_->PrepareOutput(*entry->plan(), i, results[i]));
  TRY(CheckSeparate(graph(), inputs, results));
  ASSIGN_OR_RETURN(std::unique_ptr<RunState> state, entry->Take(impl_->options.profile));
  const Status status = impl_->RunOn(*state, inputs, results, tap);
  entry->GiveBack(std::move(state));
  TRY(status);
  std::move(results.begin(), results.end(), outputs.begin());
  return Ok();
}

const Graph& Session::graph() const { return *impl_->graph; }

bool Session::profiles() const { return impl_->options.profile; }

Table Session::Profile() const {
  Table table{.columns = {"layer", "op", "kernel", "isa", "calls", "microseconds", "note",
                          "multiply_adds", "dtype"}};
  for (const std::shared_ptr<PlanEntry>& entry : impl_->plans.All()) {
    const Table steps = entry->plan()->Steps();
    const std::vector<RunState::StepTime> times = entry->times();
    for (size_t i = 0; i < steps.rows.size(); ++i) {
      const auto& row = steps.rows[i];
      table.Add({row[0], row[1], row[2], std::string(IsaName(entry->plan()->isa())), times[i].calls,
                 times[i].microseconds, row[3], row[4], row[5]});
    }
  }
  return table;
}

Table Session::Memory() const {
  Table table{.columns = {"purpose", "bytes", "mapped"}};
  const auto add = [&](std::string purpose, int64_t bytes, bool mapped) {
    table.Add({std::move(purpose), bytes, int64_t{mapped}});
  };
  for (const std::shared_ptr<PlanEntry>& entry : impl_->plans.All()) {
    const Plan& plan = *entry->plan();
    std::string shapes;
    for (const Shape& shape : plan.input_shapes())
      shapes += (shapes.empty() ? "" : ", ") + ToString(shape);
    if (plan.packed_bytes() > plan.mapped_bytes() || plan.mapped_bytes() == 0)
      add("packed weights (" + shapes + ")", plan.packed_bytes() - plan.mapped_bytes(), false);
    if (plan.mapped_bytes() > 0)
      add("packed weights of a compiled session (" + shapes + ")", plan.mapped_bytes(), true);
    add("constants read in place (" + shapes + ")", plan.constant_bytes(), true);
    add("arenas (" + shapes + ")", plan.arena_bytes() * entry->state_count(), false);
    add("arena lower bound (" + shapes + ")", plan.arena_lower_bound(), false);
  }
  return table;
}

}  // namespace intmill
