// Compiling a plan: a layout and a kernel for every node, then one arena for everything temporary.
#include <algorithm>
#include <array>
#include <optional>

#include "base/mapping.h"
#include "base/memory.h"
#include "engine/arena.h"
#include "engine/layout.h"
#include "engine/plan_impl.h"
#include "engine/reference_kernel.h"
#include "kernels/onednn/runtime.h"
#include "kernels/packed_memory.h"
#include "kernels/packing_scope.h"

namespace intmill {
namespace {

// Memory that a value lies in; several values may share one (aliases).
struct Buffer {
  Location::Kind kind = Location::Kind::kArena;
  int64_t index = 0;   // of the model input or output; in the arena the offset, once planned
  int64_t reused = 0;  // offset where memory is shared over time, of a plan that keeps values
  int64_t bytes = 0;
  int64_t first = 0;  // steps between which it is alive
  int64_t last = 0;
};
using BufferId = int64_t;
constexpr BufferId kNoBuffer = -1;

struct DraftStep {
  Step step;
  std::vector<BufferId> inputs;  // kNoBuffer: constant or absent
  std::vector<BufferId> outputs;
  BufferId scratch = kNoBuffer;
  std::vector<BufferId> taps;
};

class Compiler {
 public:
  Compiler(const Graph& graph, const PlanOptions& options)
      : graph_(graph), options_(options), storage_(graph.values.size()) {
    impl_->isa = EffectiveIsa();
  }

  Result<std::unique_ptr<Plan::Impl>> Run() {
    AddInputs();
    int64_t done = 0;
    for (const Node& node : graph_.nodes) {
      TRY(options_.hooks.Progress("compile", done++, static_cast<int64_t>(graph_.nodes.size())));
      TRY(AddNode(node).At([&] { return Place(node); }));
    }
    if (options_.followed_records != nullptr && records_ != options_.followed_records->size())
      return Error(Code::kBadFormat, "it was compiled to ", options_.followed_records->size(),
                   " kernels, wanted ", records_);
    TRY(AddOutputs());
    TRY(PlaceBuffers());
    return std::move(impl_);
  }

 private:
  // Where a value is stored, per layout; and the layout its producer wrote.
  struct Storage {
    std::array<BufferId, 2> buffer = {kNoBuffer, kNoBuffer};
    Layout stored = Layout::kPlain;
  };

  Storage& storage(ValueId id) { return storage_[static_cast<size_t>(id)]; }
  Buffer& buffer(BufferId id) { return buffers_[static_cast<size_t>(id)]; }
  static size_t Slot(Layout layout) { return static_cast<size_t>(layout); }

  BufferId NewBuffer(int64_t bytes) {
    const auto step = static_cast<int64_t>(drafts_.size());
    buffers_.push_back({.bytes = bytes, .first = step, .last = step});
    return static_cast<BufferId>(buffers_.size()) - 1;
  }

  void Store(ValueId id, Layout layout, BufferId where) {
    storage(id).stored = layout;
    storage(id).buffer[Slot(layout)] = where;
  }

  void AddInputs() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      const ValueId id = graph_.inputs[i];
      const BufferId b = NewBuffer(0);
      buffer(b).kind = Location::Kind::kInput;
      buffer(b).index = static_cast<int64_t>(i);
      Store(id, Layout::kPlain, b);
      AddTap(id);
      impl_->input_shapes.push_back(*graph_.value(id).shape);
    }
  }

  // Remembers that a tap may look at the value now: after the last step so far.
  void AddTap(ValueId id) {
    const Value& value = graph_.value(id);
    const Layout layout = storage(id).stored;
    TapPoint tap{value.name, value.dtype, PhysicalShape(*value.shape, layout), layout, {}};
    auto& taps = drafts_.empty() ? impl_->input_taps : drafts_.back().step.taps;
    auto& ids = drafts_.empty() ? input_tap_buffers_ : drafts_.back().taps;
    taps.push_back(std::move(tap));
    ids.push_back(storage(id).buffer[Slot(layout)]);
  }

  // The buffer that holds the value in this layout, reordered first when it must be.
  BufferId InLayout(ValueId id, Layout layout) {
    Storage& where = storage(id);
    BufferId& wanted = where.buffer[Slot(layout)];
    if (wanted != kNoBuffer) return wanted;
    const Value& value = graph_.value(id);
    const BufferId source = where.buffer[Slot(where.stored)];
    if (LayoutsCoincide(*value.shape)) return wanted = source;
    wanted = NewBuffer(NumBytes(*value.shape, value.dtype));
    AddStep({.layer = value.name,
             .op = "Reorder",
             .kernel = MakeReorder(*value.shape, value.dtype, layout, impl_->isa),
             .dtype = value.dtype},
            {source}, {wanted});
    return wanted;
  }

  DraftStep& AddStep(Step step, std::vector<BufferId> inputs, std::vector<BufferId> outputs) {
    const auto at = static_cast<int64_t>(drafts_.size());
    for (const auto* ids : {&inputs, &outputs})
      for (const BufferId id : *ids)
        if (id != kNoBuffer) buffer(id).last = at;
    DraftStep draft{std::move(step), std::move(inputs), std::move(outputs)};
    draft.step.inputs.resize(draft.inputs.size());
    draft.step.outputs.resize(draft.outputs.size());
    if (const int64_t scratch = draft.step.kernel->scratch_bytes(); scratch > 0)
      draft.scratch = NewBuffer(scratch);
    impl_->packed_bytes += draft.step.kernel->packed_bytes();
    drafts_.push_back(std::move(draft));
    return drafts_.back();
  }

  Status AddNode(const Node& node) {
    if (node.op->Has(kAlias) && TryAlias(node)) return Ok();
    const Layout layout = ChooseNodeLayout(node);
    std::vector<BufferId> inputs;
    std::vector<Operand> in;
    std::vector<Operand> out;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      const bool follows = id != kNoValue && InputFollows(graph_, node, i, layout);
      in.push_back(MakeOperand(id, follows ? layout : Layout::kPlain));
      const bool in_memory = id != kNoValue && !graph_.value(id).constant;
      inputs.push_back(in_memory ? InLayout(id, in.back().layout) : kNoBuffer);
    }
    for (const ValueId id : node.outputs) out.push_back(MakeOperand(id, layout));
    Step step{.layer = node.name, .op = std::string(node.op->name)};
    const LowerArgs args = {node, in, out, impl_->isa};
    if (!in.empty()) step.dtype = in[0].dtype;
    if (node.op->multiply_adds != nullptr) step.multiply_adds = node.op->multiply_adds(args);
    ASSIGN_OR_RETURN(step.kernel, MakeKernelFor(args, &step.note));
    if (options_.kernel_hook) {
      ASSIGN_OR_RETURN(step.kernel, options_.kernel_hook(args, std::move(step.kernel)));
    }
    BindConstants(node, step);
    std::vector<BufferId> outputs;
    for (const ValueId id : node.outputs) {
      outputs.push_back(id == kNoValue ? kNoBuffer : NewBuffer(OutputBytes(id)));
      if (id != kNoValue) Store(id, layout, outputs.back());
    }
    const std::vector<Location> constants = step.inputs;
    DraftStep& draft = AddStep(std::move(step), std::move(inputs), std::move(outputs));
    draft.step.inputs = constants;
    for (const ValueId id : node.outputs)
      if (id != kNoValue) AddTap(id);
    return Ok();
  }

  int64_t OutputBytes(ValueId id) const {
    return NumBytes(*graph_.value(id).shape, graph_.value(id).dtype);
  }

  // Shares the input's memory when it is row-major and not a constant.
  bool TryAlias(const Node& node) {
    const ValueId from = node.inputs[0];
    const ValueId to = node.outputs[0];
    if (graph_.value(from).constant || options_.references_only || node.outputs.size() != 1)
      return false;
    Store(to, Layout::kPlain, InLayout(from, Layout::kPlain));
    AddTap(to);
    return true;
  }

  Layout ChooseNodeLayout(const Node& node) {
    if (options_.references_only) return Layout::kPlain;
    std::vector<Layout> stored;
    for (const ValueId id : node.inputs)
      stored.push_back(id == kNoValue ? Layout::kPlain : storage(id).stored);
    return ChooseLayout(graph_, node, stored);
  }

  Operand MakeOperand(ValueId id, Layout layout) const {
    if (id == kNoValue) return {};
    const Value& value = graph_.value(id);
    return {value.dtype, *value.shape, layout, value.qparams.get(), graph_.ConstantOf(id), true};
  }

  Result<std::unique_ptr<Kernel>> MakeKernelFor(const LowerArgs& args, std::string* note) {
    if (options_.followed_records != nullptr) return FollowRecord(args, note);
    if (options_.written_records == nullptr) return ChooseKernel(args, note);
    KernelRecord& record = options_.written_records->emplace_back();
    PackingScope scope(&record);
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, ChooseKernel(args, note));
    TRY(scope.Finish(kernel->name()));
    if (!record.packed.empty()) record.packed_value = NameOfWeights(args, *kernel);
    return kernel;
  }

  Result<std::unique_ptr<Kernel>> FollowRecord(const LowerArgs& args, std::string* note) {
    const std::vector<KernelRecord>& all = *options_.followed_records;
    if (records_ == all.size()) return Error(Code::kBadFormat, "nothing was compiled for it");
    const KernelRecord& record = all[records_++];
    PackingScope scope(&record);
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, ChooseKernel(args, note));
    TRY(scope.Finish(kernel->name()));
    for (const PackedBlob& packed : record.packed) impl_->mapped_bytes += packed.bytes;
    return kernel;
  }

  // The one large constant among those that the kernel packed; biases and scales, which are made
  // anew from the model, are much smaller.
  std::string NameOfWeights(const LowerArgs& args, const Kernel& kernel) const {
    constexpr int64_t kMuchSmaller = 2;
    int64_t largest = 0;
    int64_t second = 0;
    std::string name;
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      if (args.inputs[i].constant == nullptr || !kernel.packs_input(static_cast<int64_t>(i)))
        continue;
      const int64_t n = args.inputs[i].constant->elements();
      second = std::max(second, std::min(n, largest));
      if (n > largest) name = graph_.value(args.node.inputs[i]).name;
      largest = std::max(largest, n);
    }
    return largest >= kMuchSmaller * second ? name : "";
  }

  Result<std::unique_ptr<Kernel>> ChooseKernel(const LowerArgs& args, std::string* note) const {
    // Fast kernels are for data. An empty constant is no data but a parameter that was left out, as
    // the scales of a Resize that has sizes; but for weights, whose sums are empty.
    const bool has_weights = args.node.op->multiply_adds != nullptr;
    const auto is_empty = [&](const Operand& o) {
      return o.present && NumElements(o.shape) == 0 && (o.constant == nullptr || has_weights);
    };
    const bool empty = std::any_of(args.inputs.begin(), args.inputs.end(), is_empty) ||
                       std::any_of(args.outputs.begin(), args.outputs.end(), is_empty);
    if (args.node.op->lower == nullptr) *note = "the operator has no fast kernel";
    if (empty) *note = "it has empty tensors";
    if (!options_.references_only && !empty && args.node.op->lower != nullptr) {
      Result<std::unique_ptr<Kernel>> kernel = args.node.op->lower(args);
      if (kernel.ok() || kernel.status().code() != Code::kUnsupported) return kernel;
      *note = kernel.status().message();
    }
    return MakeReferenceKernel(args);
  }

  // Constants that the kernel did not pack are read where the graph has them.
  void BindConstants(const Node& node, Step& step) {
    step.inputs.resize(node.inputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Tensor* constant = graph_.ConstantOf(node.inputs[i]);
      if (constant == nullptr) continue;
      if (step.kernel->packs_input(static_cast<int64_t>(i))) {
        // Packed weights are held once: those of the file may leave memory.
        constexpr int64_t kWorthIt = 1 << 16;
        const auto bytes = static_cast<size_t>(constant->bytes());
        if (constant->bytes() >= kWorthIt) ForgetPages({constant->data<std::byte>(), bytes});
        continue;
      }
      step.inputs[i] = {Location::Kind::kConstant, 0, constant->data<void>()};
      impl_->constants.push_back(*constant);
      impl_->constant_bytes += constant->bytes();
    }
  }

  // A graph output is written in place by its producer, unless its memory is already something
  // else's (an input, a constant, another output): then it is copied at the end.
  Status AddOutputs() {
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const ValueId id = graph_.outputs[i];
      impl_->outputs.push_back(graph_.value(id));
      impl_->outputs.back().constant.reset();
      const Tensor* constant = graph_.ConstantOf(id);
      BufferId from = constant != nullptr ? kNoBuffer : InLayout(id, Layout::kPlain);
      if (constant == nullptr && buffer(from).kind == Location::Kind::kArena) {
        buffer(from).kind = Location::Kind::kOutput;
        buffer(from).index = static_cast<int64_t>(i);
        continue;
      }
      const BufferId to = NewBuffer(0);
      buffer(to).kind = Location::Kind::kOutput;
      buffer(to).index = static_cast<int64_t>(i);
      DraftStep& draft = AddStep({.layer = graph_.value(id).name,
                                  .op = "Copy",
                                  .kernel = MakeCopy(OutputBytes(id)),
                                  .dtype = graph_.value(id).dtype},
                                 {from}, {to});
      if (constant == nullptr) continue;
      draft.step.inputs[0] = {Location::Kind::kConstant, 0, constant->data<void>()};
      impl_->constants.push_back(*constant);
    }
    return Ok();
  }

  Status PlaceBuffers() {
    ASSIGN_OR_RETURN(const ArenaSize size, PlaceInArena(options_.keep_values, &Buffer::index));
    impl_->arena_bytes = size.bytes;
    impl_->arena_lower_bound = size.lower_bound;
    const int64_t needed = size.bytes + BytesOfWeights();
    if (options_.memory_limit > 0 && needed > options_.memory_limit)
      return Error(Code::kOutOfMemory, "the plan needs ", needed, " bytes, the limit is ",
                   options_.memory_limit);
    if (options_.keep_values) {
      ASSIGN_OR_RETURN(const ArenaSize reused, PlaceInArena(false, &Buffer::reused));
      impl_->reused_bytes = reused.bytes;
    }
    WriteLocations();
    return Ok();
  }

  int64_t BytesOfWeights() const { return impl_->packed_bytes - impl_->mapped_bytes; }

  Result<ArenaSize> PlaceInArena(bool keep, int64_t Buffer::*offset) {
    std::vector<ArenaBuffer> arena;
    std::vector<Buffer*> placed;
    const auto end = static_cast<int64_t>(drafts_.size());
    for (Buffer& b : buffers_) {
      if (b.kind != Location::Kind::kArena) continue;
      placed.push_back(&b);
      // A kept buffer is known by its offset, so an empty one must have its own as well.
      arena.push_back(keep ? ArenaBuffer{std::max<int64_t>(b.bytes, 1), 0, end}
                           : ArenaBuffer{b.bytes, b.first, b.last});
    }
    const int64_t budget =
        options_.memory_limit > 0 ? options_.memory_limit - BytesOfWeights() : INT64_MAX;
    ASSIGN_OR_RETURN(const ArenaSize size, PlanArena(arena, budget));
    for (size_t i = 0; i < arena.size(); ++i) placed[i]->*offset = arena[i].offset;
    return size;
  }

  void WriteLocations() {
    const auto locate = [&](const std::vector<BufferId>& ids, size_t i, Location* out) {
      if (ids[i] == kNoBuffer) return;
      const Buffer& b = buffer(ids[i]);
      *out = {b.kind, b.index, nullptr, b.reused};
    };
    for (size_t t = 0; t < impl_->input_taps.size(); ++t)
      locate(input_tap_buffers_, t, &impl_->input_taps[t].location);
    for (DraftStep& draft : drafts_) {
      Step& step = draft.step;
      for (size_t i = 0; i < step.inputs.size(); ++i) locate(draft.inputs, i, &step.inputs[i]);
      for (size_t i = 0; i < step.outputs.size(); ++i) locate(draft.outputs, i, &step.outputs[i]);
      for (size_t t = 0; t < step.taps.size(); ++t) locate(draft.taps, t, &step.taps[t].location);
      if (draft.scratch != kNoBuffer) {
        step.scratch_offset = buffer(draft.scratch).index;
        step.reused_scratch_offset = buffer(draft.scratch).reused;
      }
      impl_->steps.push_back(std::move(step));
    }
  }

  const Graph& graph_;
  const PlanOptions& options_;
  std::unique_ptr<Plan::Impl> impl_ = std::make_unique<Plan::Impl>();
  std::vector<Storage> storage_;
  std::vector<Buffer> buffers_;
  std::vector<DraftStep> drafts_;
  std::vector<BufferId> input_tap_buffers_;
  size_t records_ = 0;  // followed
  PackedMemory packed_memory_;
};

}  // namespace

Plan::Plan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Plan::~Plan() = default;

Result<std::shared_ptr<const Plan>> Plan::Compile(const Graph& graph, const PlanOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Compiler(graph, options).Run());
  return std::make_shared<const Plan>(std::move(impl));
}

}  // namespace intmill
