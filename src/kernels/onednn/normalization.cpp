// Softmax of floats by oneDNN.
#include "kernels/onednn/normalization.h"

#include "kernels/onednn/primitive_kernel.h"
#include "kernels/onednn/runtime.h"

namespace intmill::onednn {
namespace {

constexpr auto kKind = dnnl::prop_kind::forward_inference;

dnnl::primitive_attr UserScratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

}  // namespace

Result<std::unique_ptr<Kernel>> MakeSoftmax(const Softmax& s) {
  TRY(CheckCodeGeneration());
  return Guarded([&] {
    const auto algorithm =
        s.is_log ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate;
    // Without a last dimension of one, which would hide oneDNN's faster code for rows.
    const Shape shape = s.inner == 1 ? Shape{s.outer, s.count} : Shape{s.outer, s.count, s.inner};
    const dnnl::memory::desc desc = PlainDesc(shape, DType::kF32);
    const dnnl::softmax_forward::primitive_desc primitive(Engine(), kKind, algorithm, desc, desc, 1,
                                                          UserScratchpad());
    Bindings bindings;
    bindings.Input(DNNL_ARG_SRC, desc, 0);
    bindings.Output(DNNL_ARG_DST, desc, 0);
    return MakePrimitiveKernel(dnnl::softmax_forward(primitive), primitive.scratchpad_desc(),
                               primitive.impl_info_str(), std::move(bindings));
  });
}

}  // namespace intmill::onednn
