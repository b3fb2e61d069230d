// Softmax of rows of 8-bit numbers.
#include "kernels/native/row_softmax.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel.h"
#include "tensor/quantize.h"

namespace intmill::native {
namespace {

class ByteSoftmaxKernel : public Kernel {
 public:
  explicit ByteSoftmaxKernel(const ByteSoftmax& softmax) : softmax_(softmax) {
    for (size_t i = 0; i < table_.size(); ++i)
      table_[i] = std::exp(-static_cast<double>(i) * static_cast<double>(softmax.in_scale));
  }

  std::string_view name() const override { return "native int8 softmax"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const int64_t grain = std::max<int64_t>(1, 4096 / softmax_.columns);
    ParallelFor(softmax_.rows, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        if (softmax_.in_dtype == DType::kU8) {
          RunRow<uint8_t>(args, row * softmax_.columns);
        } else {
          RunRow<int8_t>(args, row * softmax_.columns);
        }
      }
    });
    return Ok();
  }

 private:
  // y = e^(s (q - q_max)) / sum of the same
  template <typename T>
  void RunRow(const RunArgs& args, int64_t offset) const {
    const T* x = static_cast<const T*>(args.inputs[0]) + offset;
    const int64_t n = softmax_.columns;
    int32_t largest = x[0];
    for (int64_t i = 1; i < n; ++i) largest = std::max(largest, int32_t{x[i]});
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += table_[static_cast<size_t>(largest - x[i])];
    const auto value = [&](int64_t i) {
      return static_cast<float>(table_[static_cast<size_t>(largest - x[i])] / sum);
    };
    if (softmax_.out_dtype == DType::kF32) {
      float* y = static_cast<float*>(args.outputs[0]) + offset;
      for (int64_t i = 0; i < n; ++i) y[i] = value(i);
      return;
    }
    const bool is_u8 = softmax_.out_dtype == DType::kU8;
    const int32_t low = is_u8 ? 0 : -128;
    uint8_t* y = static_cast<uint8_t*>(args.outputs[0]) + offset;
    for (int64_t i = 0; i < n; ++i)
      y[i] = static_cast<uint8_t>(
          QuantizeValue(value(i), softmax_.out_scale, softmax_.out_zero_point, low, low + 255));
  }

  const ByteSoftmax softmax_;
  std::array<double, 256> table_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeByteSoftmax(const ByteSoftmax& softmax) {
  return MakeKernel<ByteSoftmaxKernel>(softmax);
}

}  // namespace intmill::native
