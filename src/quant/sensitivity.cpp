// Sensitivity: one kept run a batch, then a rerun for each layer with its other form in its place.
#include "quant/sensitivity.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <new>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "base/cpu_share.h"
#include "base/parallel.h"
#include "engine/replay.h"
#include "quant/cause.h"
#include "quant/figures.h"
#include "quant/targets.h"
#include "quant/twins.h"
#include "session/check_io.h"

namespace intmill {
namespace {

constexpr size_t kMaxPlans = 2;  // the common batch, and the last one that is smaller

// A twin graph compiled for some input shapes.
struct Compiled {
  std::vector<Shape> shapes;
  std::unique_ptr<Replay> replay;
  std::vector<std::unique_ptr<Replay::Change>> changes;  // one a twin
};

}  // namespace

struct Sensitivity::Impl {
  std::shared_ptr<const Graph> graph;
  SensitivityOptions options;
  int64_t threads = 1;
  TwinGraph twins;
  std::vector<std::vector<float>> weight_peaks;  // one a twin
  std::shared_ptr<const Session> float_model;    // of reverse: the main form has no float outputs
  std::list<Compiled> plans;                     // most recently used first

  std::vector<Figures> layers;
  Figures whole;  // of reverse: all layers in integers
  int64_t rows = 0;
  int64_t reference_hits = 0;
  int64_t steps = 0;
  int64_t steps_whole = 0;
  bool has_targets = false;
  bool was_fed = false;
  Result<Compiled> Compile(std::span<const Tensor> inputs) const;
  Result<Compiled*> PlanFor(std::span<const Tensor> inputs);
  Status CheckInputs(std::span<const Tensor> inputs) const;
  Result<Reference> MakeReference(std::span<const Tensor> inputs, const Replay& replay,
                                  std::span<const Tensor> targets) const;
  Status Measure(const Compiled& compiled, const Reference& reference, size_t i, int64_t worker,
                 Figures* figures) const;
  Status MeasureAll(const Compiled& compiled, const Reference& reference,
                    std::vector<Figures>* batch) const;
};

Result<Compiled> Sensitivity::Impl::Compile(std::span<const Tensor> inputs) const {
  Compiled made;
  for (const Tensor& input : inputs) made.shapes.push_back(input.shape());
  const ThreadScope scope(1);
  ASSIGN_OR_RETURN(Graph ready, Specialize(twins.graph, made.shapes, options.session.passes));
  ready.outputs.resize(twins.outputs);
  const int64_t limit = options.session.memory_limit;
  ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan,
                   Plan::Compile(ready, {.memory_limit = limit,
                                         .keep_values = true,
                                         .hooks = options.session.passes.hooks}));
  const int64_t kept = plan->arena_bytes() + plan->packed_bytes();
  ASSIGN_OR_RETURN(made.replay, Replay::Create(std::move(plan), threads));
  const int64_t needed = kept + made.replay->worker_bytes() * threads;
  if (limit > 0 && needed > limit)
    return Error(Code::kOutOfMemory, "keeping every value, and ", threads, " threads, need ",
                 needed, " bytes, the limit is ", limit);
  for (const Twin& twin : twins.twins) {
    ASSIGN_OR_RETURN(auto change, made.replay->Prepare(twin.result, twin.twin));
    made.changes.push_back(std::move(change));
  }
  return made;
}

Result<Compiled*> Sensitivity::Impl::PlanFor(std::span<const Tensor> inputs) {
  const auto found = std::find_if(plans.begin(), plans.end(), [&](const Compiled& compiled) {
    return std::ranges::equal(compiled.shapes, inputs, {}, {}, &Tensor::shape);
  });
  if (found != plans.end()) {
    plans.splice(plans.begin(), plans, found);
    return &plans.front();
  }
  // First, so that no more than the allowed plans are ever there.
  if (plans.size() >= kMaxPlans) plans.pop_back();
  ASSIGN_OR_RETURN(Compiled compiled, Compile(inputs));
  plans.push_front(std::move(compiled));
  return &plans.front();
}

Status Sensitivity::Impl::CheckInputs(std::span<const Tensor> inputs) const {
  if (inputs.size() != graph->inputs.size())
    return Error(Code::kInvalidArgument, "found ", inputs.size(), " inputs, the model has ",
                 graph->inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) TRY(CheckInputFits(*graph, i, inputs[i]));
  return CheckNamedDims(*graph, inputs);
}

Result<Reference> Sensitivity::Impl::MakeReference(std::span<const Tensor> inputs,
                                                   const Replay& replay,
                                                   std::span<const Tensor> targets) const {
  Reference reference;
  reference.outputs.resize(twins.outputs);
  if (float_model != nullptr)
    TRY(float_model->Run(inputs, reference.outputs));
  else
    std::ranges::copy(replay.outputs(), reference.outputs.begin());
  if (!reference.outputs.empty()) reference.best = BestOfRows(reference.outputs[0]);
  ASSIGN_OR_RETURN(reference.targets, ReadTargets(targets));
  if (targets.empty()) return reference;
  if (reference.best.empty())
    return Error(Code::kInvalidArgument, "targets need a first output with classes in f32");
  const Tensor& first = reference.outputs[0];
  TRY(CheckTargets(reference.targets, static_cast<int64_t>(reference.best.size()),
                   first.dim(first.rank() - 1)));
  return reference;
}

Status Sensitivity::Impl::Measure(const Compiled& compiled, const Reference& reference, size_t i,
                                  int64_t worker, Figures* figures) const {
  const Twin& twin = twins.twins[i];
  ASSIGN_OR_RETURN(const std::span<const Tensor> outputs,
                   compiled.replay->Rerun(*compiled.changes[i], worker));
  CompareOutputs(reference, outputs, figures);
  const auto main = compiled.replay->Find(twin.result);
  const auto other = compiled.replay->Find(twin.twin);
  if (main && other && main->tensor.dtype() == DType::kF32) {
    const Tensor& in_float = options.reverse ? other->tensor : main->tensor;
    const Tensor& in_integers = options.reverse ? main->tensor : other->tensor;
    figures->layer.Add(in_float.values<float>(), in_integers.values<float>());
  }
  const auto input = compiled.replay->Find(twin.input);
  if (input) AddInput(*input, twin, figures);
  return Ok();
}

// Layers go to whichever thread is free: early ones have more behind them than late ones.
Status Sensitivity::Impl::MeasureAll(const Compiled& compiled, const Reference& reference,
                                     std::vector<Figures>* batch) const {
  const auto n = static_cast<int64_t>(batch->size());
  std::vector<Status> answers(batch->size());
  std::atomic<int64_t> next = 0;
  std::atomic<bool> stop = false;
  const std::thread::id caller = std::this_thread::get_id();
  Status progress;
  const auto work = [&](int64_t worker) {
    for (int64_t i = next++; i < n && !stop; i = next++) {
      const auto at = static_cast<size_t>(i);
      // Nothing may leave a parallel loop but through here.
      try {
        if (std::this_thread::get_id() == caller) {
          progress = options.session.passes.hooks.Progress("sensitivity", i, n);
          if (!progress.ok()) stop = true;
        }
        answers[at] = Measure(compiled, reference, at, worker, &(*batch)[at]);
      } catch (const std::bad_alloc&) {
        answers[at] = Status(Code::kOutOfMemory, "memory ran out");
      }
      if (!answers[at].ok()) stop = true;
    }
  };
  {
    const CpuShare share(threads);
    const ThreadScope scope(threads);
    ParallelFor(threads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t worker = begin; worker < end; ++worker) work(worker);
    });
  }
  TRY(progress);
  for (Status& answer : answers) TRY(std::move(answer));
  return Ok();
}

Sensitivity::Sensitivity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sensitivity::~Sensitivity() = default;

Result<std::unique_ptr<Sensitivity>> Sensitivity::Create(std::shared_ptr<const Graph> graph,
                                                         const Calibrator* calibrator,
                                                         const SchemeTable& schemes,
                                                         SensitivityOptions options) {
  FindStatistics find;
  if (calibrator != nullptr) {
    if (calibrator->samples() == 0) return Error(Code::kState, "the calibration has seen no data");
    find = [calibrator](std::string_view name) { return calibrator->Find(name); };
  }
  auto impl = std::make_unique<Impl>();
  impl->threads = options.session.threads > 0 ? options.session.threads : AvailableCpus();
  ASSIGN_OR_RETURN(impl->twins, MakeTwins(*graph, find, schemes,
                                          options.reverse ? MainForm::kIntegers : MainForm::kFloat,
                                          options.session.passes.hooks));
  if (options.reverse) {
    SessionOptions one_thread = options.session;
    one_thread.threads = 1;
    ASSIGN_OR_RETURN(impl->float_model, Session::Create(graph, std::move(one_thread)));
  }
  // Results of layers that take a residual or are looked up must exist by themselves.
  for (const char* pass : {"fuse_residual_add", "move_qdq", "fuse_table"})
    options.session.passes.disabled.emplace_back(pass);
  impl->graph = std::move(graph);
  impl->options = std::move(options);
  for (const Twin& twin : impl->twins.twins)
    impl->weight_peaks.push_back(twin.weight == nullptr
                                     ? std::vector<float>()
                                     : ChannelPeaks(*twin.weight, twin.weight_axis));
  impl->layers.resize(impl->twins.twins.size());
  return std::make_unique<Sensitivity>(std::move(impl));
}

Status Sensitivity::Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  TRY(impl_->CheckInputs(inputs));
  if (impl_->was_fed && impl_->has_targets != !targets.empty())
    return Error(Code::kState, "targets come with every batch or with none");
  ASSIGN_OR_RETURN(Compiled* const compiled, impl_->PlanFor(inputs));
  std::vector<const void*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(input.data<void>());
  {
    const ThreadScope scope(1);
    TRY(compiled->replay->Run(pointers));
  }
  ASSIGN_OR_RETURN(const Reference reference,
                   impl_->MakeReference(inputs, *compiled->replay, targets));
  std::vector<Figures> batch(impl_->layers.size());
  TRY(impl_->MeasureAll(*compiled, reference, &batch));
  Figures whole;
  if (impl_->options.reverse) CompareOutputs(reference, compiled->replay->outputs(), &whole);

  for (size_t i = 0; i < batch.size(); ++i) impl_->layers[i].Merge(batch[i]);
  impl_->whole.Merge(whole);
  impl_->rows += static_cast<int64_t>(reference.best.size());
  for (size_t row = 0; row < reference.targets.size(); ++row)
    impl_->reference_hits += reference.best[row] == reference.targets[row] ? 1 : 0;
  for (const auto& change : compiled->changes) impl_->steps += change->steps();
  impl_->steps_whole += compiled->replay->steps() * static_cast<int64_t>(batch.size());
  impl_->has_targets = !targets.empty();
  impl_->was_fed = true;
  return Ok();
}

namespace {

Table::Cell Percent(int64_t part, int64_t all) {
  if (all == 0) return std::monostate();
  return 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

Table Sensitivity::Layers() const {
  std::vector<size_t> order(impl_->layers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto cost = [&](size_t i) {
    const double sqnr = impl_->layers[i].WorstSqnr();
    return impl_->options.reverse ? -sqnr : sqnr;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return cost(a) < cost(b); });
  Table table;
  table.columns = {"layer",         "op",           "sqnr_db", "cosine", "agreement", "top1_change",
                   "layer_sqnr_db", "layer_cosine", "min",     "max",    "clipped",   "cause"};
  for (const size_t i : order) {
    const Figures& f = impl_->layers[i];
    const Twin& twin = impl_->twins.twins[i];
    table.Add(
        {twin.layer, twin.op, f.WorstSqnr(), f.WorstCosine(), Percent(f.agreeing, impl_->rows),
         impl_->has_targets ? Percent(f.hits - impl_->reference_hits, impl_->rows) : Table::Cell(),
         f.layer.SqnrDb(), f.layer.Cosine(), static_cast<double>(f.input.min()),
         static_cast<double>(f.input.max()), f.input.ClippedShare(),
         LikelyCause({.sums = f.input,
                      .params = twin.input_params ? &*twin.input_params : nullptr,
                      .is_model_input = twin.reads_model_input},
                     impl_->weight_peaks[i], twin.scheme)});
  }
  return table;
}

Table Sensitivity::Summary() const {
  Table table;
  table.columns = {"key", "value"};
  table.Add({"samples", impl_->rows});
  table.Add({"layers", static_cast<int64_t>(impl_->layers.size())});
  table.Add({"steps", impl_->steps});
  table.Add({"steps_whole", impl_->steps_whole});
  if (impl_->has_targets)
    table.Add({"reference_top1", Percent(impl_->reference_hits, impl_->rows)});
  if (!impl_->options.reverse) return table;
  table.Add({"sqnr_db", impl_->whole.WorstSqnr()});
  table.Add({"agreement", Percent(impl_->whole.agreeing, impl_->rows)});
  return table;
}

}  // namespace intmill
