// A oneDNN primitive as a Kernel.
#include "kernels/onednn/primitive_kernel.h"

#include <cstring>
#include <optional>
#include <utility>

#include "base/parallel.h"
#include "kernels/onednn/packing.h"

namespace intmill::onednn {
namespace {

// Argument objects of one run state: oneDNN's memory objects hold the pointers, so threads cannot
// share them.
struct PrimitiveState : KernelState {
  struct Slot {
    Binding::Source source;
    size_t index;
    dnnl_memory_t memory;
    void* current;
  };
  dnnl::stream stream;
  std::vector<dnnl::memory> memories;
  std::vector<Slot> slots;  // those that move
  std::vector<dnnl_exec_arg_t> args;
};

}  // namespace

void Bindings::Input(int arg, const dnnl::memory::desc& desc, int64_t index) {
  list_.push_back({.arg = arg, .desc = desc, .source = Binding::Source::kInput, .index = index});
}

void Bindings::Output(int arg, const dnnl::memory::desc& desc, int64_t index) {
  list_.push_back({.arg = arg, .desc = desc, .source = Binding::Source::kOutput, .index = index});
}

Status Bindings::Constant(int arg, const dnnl::memory::desc& desc, const void* data) {
  const auto bytes = static_cast<int64_t>(desc.get_size());
  ASSIGN_OR_RETURN(AlignedBytes copy, AllocateAligned(bytes));
  std::memcpy(copy.get(), data, static_cast<size_t>(bytes));
  list_.push_back(
      {.arg = arg, .desc = desc, .source = Binding::Source::kConstant, .constant = copy.get()});
  constants_.push_back(std::move(copy));
  constant_bytes_ += bytes;
  return Ok();
}

Status Bindings::Packed(int arg, const dnnl::memory::desc& desc, const dnnl::memory::desc& from,
                        const void* data, int64_t index) {
  PacksInput(index);
  ASSIGN_OR_RETURN(SharedBytes packed, Pack(from, data, desc));
  list_.push_back(
      {.arg = arg, .desc = desc, .source = Binding::Source::kConstant, .constant = packed.get()});
  packed_.push_back(std::move(packed));
  constant_bytes_ += static_cast<int64_t>(desc.get_size());
  return Ok();
}

class PrimitiveKernel : public Kernel {
 public:
  PrimitiveKernel(const dnnl::primitive& primitive, const dnnl::memory::desc& scratch,
                  const std::string& name, Bindings bindings)
      : primitive_(primitive),
        scratch_bytes_(static_cast<int64_t>(scratch.get_size())),
        threads_(CurrentThreads()),
        name_("onednn " + name),
        bindings_(std::move(bindings)) {
    if (scratch_bytes_ > 0)
      bindings_.list_.push_back(
          {.arg = DNNL_ARG_SCRATCHPAD, .desc = scratch, .source = Binding::Source::kScratch});
  }

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  int64_t packed_bytes() const override { return bindings_.constant_bytes_; }
  bool starts_regions() const override { return true; }
  bool packs_input(int64_t i) const override {
    return i < 64 && ((bindings_.packed_inputs_ >> i) & 1) != 0;
  }

  Result<std::unique_ptr<KernelState>> MakeState() const override {
    return Guarded([&]() -> Result<std::unique_ptr<KernelState>> {
      auto state = std::make_unique<PrimitiveState>();
      state->stream = dnnl::stream(Engine());
      for (const Binding& binding : bindings_.list_) AddTo(*state, binding);
      return std::unique_ptr<KernelState>(std::move(state));
    });
  }

  Status Run(const RunArgs& args, KernelState* opaque) const override {
    auto& state = *static_cast<PrimitiveState*>(opaque);
    // Scratchpads were sized for the threads of the creator; with fewer threads now, oneDNN starts
    // what it planned for.
    std::optional<ThreadScope> fewer;
    if (CurrentThreads() > threads_) fewer.emplace(threads_);
    return Guarded([&] { return Execute(args, state); });
  }

 private:
  static void AddTo(PrimitiveState& state, const Binding& binding) {
    void* data = const_cast<void*>(binding.constant);
    state.memories.emplace_back(binding.desc, Engine(), data);
    dnnl_memory_t memory = state.memories.back().get();
    state.args.push_back({.arg = binding.arg, .memory = memory});
    if (binding.source != Binding::Source::kConstant)
      state.slots.push_back({.source = binding.source,
                             .index = static_cast<size_t>(binding.index),
                             .memory = memory,
                             .current = nullptr});
  }

  static void* PointerOf(const PrimitiveState::Slot& slot, const RunArgs& args) {
    if (slot.source == Binding::Source::kScratch) return args.scratch;
    if (slot.source == Binding::Source::kOutput) return args.outputs[slot.index];
    return const_cast<void*>(args.inputs[slot.index]);
  }

  Status Execute(const RunArgs& args, PrimitiveState& state) const {
    for (PrimitiveState::Slot& slot : state.slots) {
      void* pointer = PointerOf(slot, args);
      if (pointer == slot.current) continue;
      dnnl::error::wrap_c_api(dnnl_memory_set_data_handle(slot.memory, pointer), "data handle");
      slot.current = pointer;
    }
    // The C function: its C++ twin builds a map of the arguments in every call.
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), state.stream.get(),
                               static_cast<int>(state.args.size()), state.args.data()),
        "execution failed");
    dnnl::error::wrap_c_api(dnnl_stream_wait(state.stream.get()), "execution failed");
    return Ok();
  }

  const dnnl::primitive primitive_;
  const int64_t scratch_bytes_;
  const int64_t threads_;
  const std::string name_;
  Bindings bindings_;
};

Result<std::unique_ptr<Kernel>> MakePrimitiveKernel(const dnnl::primitive& primitive,
                                                    const dnnl::memory::desc& scratch,
                                                    const std::string& name, Bindings bindings) {
  return MakeKernel<PrimitiveKernel>(primitive, scratch, name, std::move(bindings));
}

}  // namespace intmill::onednn
