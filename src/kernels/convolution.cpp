// Which kernel computes a convolution.
#include "kernels/convolution.h"

namespace intmill {

Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa) {
  // oneDNN multiplies depthwise as if bytes were floats, and is slower for most.
  if (native::PrefersDepthwise(conv)) return native::MakeDepthwise(conv, isa);
  Result<std::unique_ptr<Kernel>> kernel = onednn::MakeConvolution(conv, isa);
  // Floats without oneDNN go to the reference; integers have an exact kernel of our own.
  if (kernel.ok() || conv.in_dtype == DType::kF32 || kernel.status().code() != Code::kUnsupported)
    return kernel;
  kernel = native::MakeDepthwise(conv, isa);
  if (kernel.ok() || kernel.status().code() != Code::kUnsupported) return kernel;
  return native::MakeConvolution(conv, isa);
}

}  // namespace intmill
