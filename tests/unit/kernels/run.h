// Running a kernel on plain buffers, and random problems for kernels that must agree.
#ifndef INTMILL_TESTS_UNIT_KERNELS_RUN_H
#define INTMILL_TESTS_UNIT_KERNELS_RUN_H

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/convolution.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "kernels/matmul.h"

namespace intmill::test {

using Bytes = std::vector<uint8_t>;

// Output 0 of a kernel, run with `threads` threads on fresh state; empty when it failed.
Bytes Run(const Kernel& kernel, const std::vector<const void*>& inputs, size_t output_bytes,
          int64_t threads);

// Every level that this processor runs, and those of its slower relatives.
std::vector<Isa> Levels();

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int64_t Int(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  bool Chance() { return Int(0, 1) == 1; }
  float Float(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(engine_);
  }
  Bytes Fill(int64_t n);

 private:
  std::mt19937 engine_;
};

// An 8-bit problem with its data; the pointers in it lie in the buffers beside it.
struct ConvolutionProblem {
  Convolution conv;
  Bytes weights;
  Bytes input;
  Bytes addend;
  std::string text;

  size_t output_bytes() const;
  std::vector<const void*> inputs() const;
};
ConvolutionProblem RandomConvolution(Random& random);
// One group of u8 pixels, up to two dimensions, many of either and of channels.
ConvolutionProblem RandomImage(Random& random);
// Kernels of one pixel, in whole words of channels.
ConvolutionProblem RandomPointwise(Random& random);
// Kernels of 3 x 3 or 5 x 5, strides of 1 or 2, any number of channels.
ConvolutionProblem RandomDepthwise(Random& random);

struct MatMulProblem {
  MatMul matmul;
  Bytes weights;
  Bytes a;
  Bytes b;
  Bytes addend;
  std::string text;

  size_t output_bytes() const;
  std::vector<const void*> inputs() const;
};
MatMulProblem RandomMatMul(Random& random, int64_t most_columns = 100);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_KERNELS_RUN_H
