// A convolution or transposed convolution with all that is known when a kernel is made.
#ifndef INTMILL_KERNELS_CONVOLUTION_H
#define INTMILL_KERNELS_CONVOLUTION_H

#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "kernels/matmul.h"
#include "tensor/dtype.h"

namespace intmill {

// Kernel input 0 is the image, 1 the weights, 2 the bias; both are packed. Images are
// channels-last.
struct Convolution {
  bool transposed = false;
  int64_t batch = 1;
  int64_t groups = 1;
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  // One to three spatial dimensions.
  std::vector<int64_t> in;
  std::vector<int64_t> out;
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;  // 1: dense
  std::vector<int64_t> pads;       // before; what comes after follows from `out`

  DType in_dtype = DType::kF32;  // u8 or s8: with s8 weights; bf16: with bf16
  DType out_dtype = DType::kF32;
  int32_t in_zero_point = 0;  // what padding is filled with
  // As in ONNX: out, in / groups, spatial; transposed: in, out / groups, spatial.
  const void* weights = nullptr;
  // Integers: subtracted from the weights; one, or one per output channel; empty: none.
  std::vector<int32_t> weight_zero_points;
  DType weight_dtype = DType::kF32;
  int64_t bias_input = 2;  // the input that the epilogue's bias was read from; -1: none
  Epilogue epilogue;
};

// Windows of one element: a product of pixels and weights, which AsMatMul says.
bool IsPointwise(const Convolution& conv);
MatMul AsMatMul(const Convolution& conv);

// The fastest that is exact, of oneDNN's and (integers) our own; kUnsupported with the reason where
// there is none.
Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa);

namespace onednn {
// kUnsupported when oneDNN has nothing for it, or nothing exact on this instruction set.
Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa);
}  // namespace onednn

namespace native {
// Integers only, on any instruction set.
Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa);
// The same bits much faster: one small dense kernel of s8 weights a channel; else kUnsupported.
Result<std::unique_ptr<Kernel>> MakeDepthwise(const Convolution& conv, Isa isa);
// Whether MakeDepthwise takes it and is faster than oneDNN.
bool PrefersDepthwise(const Convolution& conv);
// The same bits as products: of u8 images of up to two dimensions and s8 weights, with AMX;
// else kUnsupported.
Result<std::unique_ptr<Kernel>> MakeImageProduct(const Convolution& conv, Isa isa);
// Whether MakeImageProduct takes it.
bool PrefersImageProduct(const Convolution& conv, Isa isa);
}  // namespace native

}  // namespace intmill

#endif  // INTMILL_KERNELS_CONVOLUTION_H
