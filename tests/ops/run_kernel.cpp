// Lowers a node for given operands and runs the kernel in every way that must give the same bits.
#include "ops/run_kernel.h"

#include <cstring>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernels/kernel.h"

namespace intmill::test {
namespace {

bool IsSpatial(const Tensor& t) { return t.valid() && t.rank() >= 3 && t.rank() <= 5; }

// Element by element between ONNX's order (N, C, D1..) and channels-last memory (N, D1.., C).
Result<Tensor> Reorder(const Tensor& t, Layout layout, bool to_plain) {
  if (layout == Layout::kPlain) return t;
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(t.dtype(), t.shape()));
  out.set_qparams(t.qparams());
  const size_t size = static_cast<size_t>(BitsOf(t.dtype()) / 8);
  const int64_t channels = t.dim(1);
  const int64_t area = t.elements() == 0 ? 0 : t.elements() / t.dim(0) / channels;
  const std::byte* in = t.data<std::byte>();
  for (int64_t i = 0; i < t.elements(); ++i) {
    const int64_t n = i / (channels * area);
    const int64_t c = i / area % channels;
    const int64_t last = (n * area + i % area) * channels + c;
    const int64_t from = to_plain ? last : i;
    const int64_t to = to_plain ? i : last;
    std::memcpy(out.mutable_data<std::byte>() + static_cast<size_t>(to) * size,
                in + static_cast<size_t>(from) * size, size);
  }
  return out;
}

Operand MakeOperand(const Tensor& t, Layout layout, bool constant) {
  if (!t.valid()) return {};
  return {.dtype = t.dtype(),
          .shape = t.shape(),
          .layout = layout,
          .qparams = t.qparams().get(),
          .constant = constant ? &t : nullptr,
          .present = true};
}

Result<std::unique_ptr<Kernel>> Lower(const KernelCase& k, const OperandLayouts& layouts, Isa isa) {
  if (k.node->op->lower == nullptr) return Error(Code::kUnsupported, "has no lowering");
  std::vector<Operand> inputs;
  for (size_t i = 0; i < k.inputs.size(); ++i)
    inputs.push_back(MakeOperand(k.inputs[i], layouts.inputs[i], k.constant[i]));
  std::vector<Operand> outputs;
  for (size_t i = 0; i < k.outputs.size(); ++i)
    outputs.push_back(MakeOperand(k.outputs[i], layouts.outputs[i], false));
  return k.node->op->lower({.node = *k.node, .inputs = inputs, .outputs = outputs, .isa = isa});
}

Result<std::vector<Tensor>> RunOnce(const Kernel& kernel, const KernelCase& k,
                                    const std::vector<Tensor>& inputs, int64_t threads) {
  const ThreadScope scope(threads);
  ASSIGN_OR_RETURN(const AlignedBytes scratch, AllocateAligned(kernel.scratch_bytes()));
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelState> state, kernel.MakeState());
  std::vector<const void*> in;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool read = inputs[i].valid() && !kernel.packs_input(static_cast<int64_t>(i));
    in.push_back(read ? inputs[i].data<void>() : nullptr);
  }
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (const Tensor& wanted : k.outputs) {
    results.emplace_back();
    if (wanted.valid()) {
      ASSIGN_OR_RETURN(results.back(), Tensor::Make(wanted.dtype(), wanted.shape()));
      results.back().set_qparams(wanted.qparams());
      // So that an element that nobody writes is noticed.
      std::memset(results.back().mutable_data<void>(), 0x5a, static_cast<size_t>(wanted.bytes()));
    }
    out.push_back(wanted.valid() ? results.back().mutable_data<void>() : nullptr);
  }
  TRY(kernel.Run({.inputs = in, .outputs = out, .scratch = scratch.get()}, state.get()));
  return results;
}

bool SameBits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].valid()) continue;
    const auto bytes = static_cast<size_t>(a[i].bytes());
    if (std::memcmp(a[i].data<void>(), b[i].data<void>(), bytes) != 0) return false;
  }
  return true;
}

}  // namespace

std::vector<OperandLayouts> AllowedLayouts(const Node& node, const std::vector<Tensor>& inputs,
                                           const std::vector<bool>& constant,
                                           const std::vector<Tensor>& outputs) {
  OperandLayouts plain{std::vector<Layout>(inputs.size(), Layout::kPlain),
                       std::vector<Layout>(outputs.size(), Layout::kPlain)};
  const bool first_is_spatial = !inputs.empty() && IsSpatial(inputs[0]) && !constant[0];
  if (node.op->layout == LayoutRule::kPlain || !first_is_spatial) return {plain};
  OperandLayouts first = plain;
  first.inputs[0] = Layout::kChannelsLast;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (IsSpatial(outputs[i])) first.outputs[i] = Layout::kChannelsLast;
  for (const PostOp& post_op : node.post_ops)
    if (post_op.kind == PostOp::Kind::kAdd)
      first.inputs[static_cast<size_t>(post_op.input)] = first.outputs[0];
  if (node.op->layout == LayoutRule::kSpatial) return {first};
  OperandLayouts all = first;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (IsSpatial(inputs[i]) && !constant[i]) all.inputs[i] = Layout::kChannelsLast;
  return {plain, first, all};
}

std::vector<Isa> IsaLevels() {
  std::vector<Isa> levels = {Isa::kBaseline};
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512})
    if (isa < DetectIsa()) levels.push_back(isa);
  if (DetectIsa() != Isa::kBaseline) levels.push_back(DetectIsa());
  return levels;
}

Result<std::vector<Tensor>> RunKernel(const KernelCase& k, const OperandLayouts& layouts, Isa isa) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, Lower(k, layouts, isa));
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < k.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(Tensor input, Reorder(k.inputs[i], layouts.inputs[i], false));
    inputs.push_back(std::move(input));
  }
  ASSIGN_OR_RETURN(std::vector<Tensor> results, RunOnce(*kernel, k, inputs, 1));
  for (const int64_t threads : {2, 4}) {
    ASSIGN_OR_RETURN(const std::vector<Tensor> again, RunOnce(*kernel, k, inputs, threads));
    if (!SameBits(results, again))
      return Error(Code::kInternal, threads, " threads give other bits than one");
  }
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].valid()) continue;
    ASSIGN_OR_RETURN(results[i], Reorder(results[i], layouts.outputs[i], true));
  }
  return results;
}

}  // namespace intmill::test
