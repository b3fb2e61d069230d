// Rows of the innermost dimensions that are copied as they are (channels, when they lie last) are
// combined with the weights of their corners.
#include "kernels/native/resize.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/parallel.h"
#include "tensor/quantize.h"

namespace intmill::native {
namespace {

struct Corner {
  int64_t offset = 0;
  float weight = 1;
};

constexpr size_t kMaxResized = 3;
using Corners = std::array<Corner, size_t{1} << kMaxResized>;

template <typename T>
class ResizeKernel final : public Kernel {
 public:
  explicit ResizeKernel(Resize resize) : r_(std::move(resize)) {
    outer_dims_ = r_.dims.size();
    while (outer_dims_ > 0 && r_.dims[outer_dims_ - 1].taps.empty())
      row_ *= r_.dims[--outer_dims_].out;
    strides_.resize(outer_dims_);
    int64_t stride = row_;
    for (size_t d = outer_dims_; d-- > 0;) {
      strides_[d] = stride;
      stride *= r_.dims[d].in;
      rows_ *= r_.dims[d].out;
    }
  }
  std::string_view name() const override { return "native resize"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const T*>(args.inputs[0]);
    auto* y = static_cast<T*>(args.outputs[0]);
    ParallelFor(rows_, std::max<int64_t>(1, 4096 / row_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Corners corners;
        const size_t count = CornersOf(row, corners);
        if (count == 1)
          std::copy_n(x + corners[0].offset, row_, y + row * row_);
        else
          Combine(x, {corners.data(), count}, y + row * row_);
      }
    });
    return Ok();
  }

 private:
  // Corners whose weight is 0 are left out, so that nearest neighbours are copies.
  size_t CornersOf(int64_t row, Corners& corners) const {
    size_t count = 1;
    corners[0] = {};
    for (size_t d = outer_dims_; d-- > 0;) {
      const ResizeDim& dim = r_.dims[d];
      const int64_t index = row % dim.out;
      row /= dim.out;
      const ResizeTap tap =
          dim.taps.empty() ? ResizeTap{index, index, 0} : dim.taps[static_cast<size_t>(index)];
      if (tap.weight == 0) {
        for (size_t c = 0; c < count; ++c) corners[c].offset += tap.low * strides_[d];
        continue;
      }
      for (size_t c = 0; c < count; ++c) {
        corners[count + c] = {corners[c].offset + tap.high * strides_[d],
                              corners[c].weight * tap.weight};
        corners[c].offset += tap.low * strides_[d];
        corners[c].weight *= 1 - tap.weight;
      }
      count *= 2;
    }
    return count;
  }

  void Combine(const T* x, std::span<const Corner> corners, T* y) const {
    constexpr int64_t kBlock = 256;
    float sums[kBlock];
    const auto z = static_cast<float>(r_.zero_point);
    for (int64_t first = 0; first < row_; first += kBlock) {
      const int64_t n = std::min(kBlock, row_ - first);
      std::fill_n(sums, n, 0.0f);
      for (const Corner& corner : corners) {
        const T* from = x + corner.offset + first;
        for (int64_t i = 0; i < n; ++i)
          sums[i] += corner.weight * (static_cast<float>(from[i]) - z);
      }
      for (int64_t i = 0; i < n; ++i) y[first + i] = Store(sums[i]);
    }
  }

  T Store(float sum) const {
    if constexpr (std::is_same_v<T, float>) {
      return sum;
    } else {
      using Limits = std::numeric_limits<T>;
      return static_cast<T>(QuantizeValue(sum, 1.0f, r_.zero_point, Limits::min(), Limits::max()));
    }
  }

  Resize r_;
  size_t outer_dims_ = 0;
  int64_t row_ = 1;   // elements that are combined alike
  int64_t rows_ = 1;  // of the output
  std::vector<int64_t> strides_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeResize(Resize resize) {
  const auto resized =
      std::ranges::count_if(resize.dims, [](const ResizeDim& dim) { return !dim.taps.empty(); });
  if (static_cast<size_t>(resized) > kMaxResized)
    return Error(Code::kUnsupported, "resizes ", resized, " dimensions, wanted at most ",
                 kMaxResized);
  switch (resize.dtype) {
    case DType::kF32:
      return MakeKernel<ResizeKernel<float>>(std::move(resize));
    case DType::kU8:
      return MakeKernel<ResizeKernel<uint8_t>>(std::move(resize));
    case DType::kS8:
      return MakeKernel<ResizeKernel<int8_t>>(std::move(resize));
    default:
      return Error(Code::kUnsupported, "element type ", DTypeName(resize.dtype));
  }
}

}  // namespace intmill::native
