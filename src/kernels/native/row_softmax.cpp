// Softmax of rows.
#include "kernels/native/row_softmax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "kernels/native/walk.h"
#include "tensor/quantize.h"

namespace intmill::native {
namespace {

// Rows that are worth a thread of their own have this many elements together.
constexpr int64_t kGrain = 4096;

int64_t RowsPerThread(int64_t columns) { return std::max<int64_t>(1, kGrain / columns); }

class FloatSoftmaxKernel : public Kernel {
 public:
  FloatSoftmaxKernel(const FloatSoftmax& softmax, const Loops& loops)
      : columns_(softmax.columns),
        scale_(softmax.scale),
        has_mask_(softmax.has_mask),
        walk_(softmax.rows, {softmax.has_mask ? softmax.mask_strides
                                              : std::vector<int64_t>(softmax.rows.size(), 0)}),
        loop_(loops.softmax),
        name_(Cat("native softmax:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const float*>(args.inputs[0]);
    const auto* mask = has_mask_ ? static_cast<const float*>(args.inputs[1]) : nullptr;
    auto* y = static_cast<float*>(args.outputs[0]);
    ParallelFor(walk_.elements(), RowsPerThread(columns_), [&](int64_t begin, int64_t end) {
      walk_.Rows(begin, end, [&](const Walk::Offsets& offsets, int64_t first, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          const int64_t at = (first + i) * columns_;
          const float* row = mask == nullptr ? nullptr : mask + offsets[0] + i * MaskStep();
          loop_(x + at, row, scale_, y + at, columns_);
        }
      });
    });
    return Ok();
  }

 private:
  int64_t MaskStep() const { return walk_.row_strides()[0]; }

  const int64_t columns_;
  const float scale_;
  const bool has_mask_;
  const Walk walk_;
  const SoftmaxLoop loop_;
  const std::string name_;
};

class ByteSoftmaxKernel : public Kernel {
 public:
  explicit ByteSoftmaxKernel(const ByteSoftmax& softmax) : softmax_(softmax) {
    for (size_t i = 0; i < table_.size(); ++i)
      table_[i] = std::exp(-static_cast<double>(i) * static_cast<double>(softmax.in_scale));
  }

  std::string_view name() const override { return "native int8 softmax"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    ParallelFor(softmax_.rows, RowsPerThread(softmax_.columns), [&](int64_t begin, int64_t end) {
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

Result<std::unique_ptr<Kernel>> MakeFloatSoftmax(const FloatSoftmax& softmax, Isa isa) {
  return MakeKernel<FloatSoftmaxKernel>(softmax, LoopsFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeByteSoftmax(const ByteSoftmax& softmax) {
  return MakeKernel<ByteSoftmaxKernel>(softmax);
}

}  // namespace intmill::native
