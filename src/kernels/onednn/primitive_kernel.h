// A oneDNN primitive as a Kernel: arguments bound once, handles moved only when pointers move.
#ifndef INTMILL_KERNELS_ONEDNN_PRIMITIVE_KERNEL_H
#define INTMILL_KERNELS_ONEDNN_PRIMITIVE_KERNEL_H

#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "kernels/kernel.h"
#include "kernels/onednn/engine.h"
#include "tensor/kernel_record.h"

namespace intmill::onednn {

// Where an argument of a primitive comes from.
struct Binding {
  enum class Source { kInput, kOutput, kScratch, kConstant };
  int arg = 0;  // DNNL_ARG_...
  dnnl::memory::desc desc;
  Source source = Source::kInput;
  int64_t index = 0;  // of the kernel's input or output
  const void* constant = nullptr;
};

// Collects what a primitive needs; MakePrimitiveKernel then creates it.
class Bindings {
 public:
  void Input(int arg, const dnnl::memory::desc& desc, int64_t index);
  void Output(int arg, const dnnl::memory::desc& desc, int64_t index);
  // Copies the data.
  Status Constant(int arg, const dnnl::memory::desc& desc, const void* data);
  // Brings `data`, which lies as `from` says, into `desc`. For weights of input `index`, which the
  // kernel then no longer reads.
  Status Packed(int arg, const dnnl::memory::desc& desc, const dnnl::memory::desc& from,
                const void* data, int64_t index);
  void PacksInput(int64_t index) { packed_inputs_ |= uint64_t{1} << index; }

 private:
  friend class PrimitiveKernel;
  std::vector<Binding> list_;
  std::vector<AlignedBytes> constants_;
  std::vector<SharedBytes> packed_;
  int64_t constant_bytes_ = 0;
  uint64_t packed_inputs_ = 0;
};

// `scratch` is the primitive's own scratchpad description. `name`: of the implementation.
Result<std::unique_ptr<Kernel>> MakePrimitiveKernel(const dnnl::primitive& primitive,
                                                    const dnnl::memory::desc& scratch,
                                                    const std::string& name, Bindings bindings);

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_PRIMITIVE_KERNEL_H
