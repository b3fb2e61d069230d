// Rows of the innermost dimensions that are copied as they are (channels, when they lie last) are
// combined with the weights of their corners.
#include "kernels/native/resize.h"

#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "kernels/native/levels.h"

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
  ResizeKernel(Resize resize, const Loops& loops)
      : r_(std::move(resize)), loops_(loops), scale_(UnitScale(r_)) {
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

  // Bytes as numbers of their own scale.
  static ByteScale UnitScale(const Resize& r) {
    const bool is_signed = r.dtype == DType::kS8;
    return {.flip = static_cast<uint8_t>(is_signed ? 0x80 : 0),
            .zero_point = r.zero_point + (is_signed ? 128 : 0),
            .scale = 1};
  }

  void Combine(const T* x, std::span<const Corner> corners, T* y) const {
    constexpr int64_t kBlock = 256;
    float sums[kBlock];
    float values[kBlock];
    for (int64_t first = 0; first < row_; first += kBlock) {
      const int64_t n = std::min(kBlock, row_ - first);
      std::fill_n(sums, n, 0.0f);
      for (const Corner& corner : corners) {
        const T* from = x + corner.offset + first;
        if constexpr (std::is_same_v<T, float>) {
          loops_.weigh(from, corner.weight, sums, n);
        } else {
          loops_.dequantize(from, values, n, scale_);
          loops_.weigh(values, corner.weight, sums, n);
        }
      }
      if constexpr (std::is_same_v<T, float>) {
        std::copy_n(sums, n, y + first);
      } else {
        loops_.quantize(sums, y + first, n, scale_);
      }
    }
  }

  const Resize r_;
  const Loops& loops_;
  const ByteScale scale_;
  size_t outer_dims_ = 0;
  int64_t row_ = 1;   // elements that are combined alike
  int64_t rows_ = 1;  // of the output
  std::vector<int64_t> strides_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeResize(Resize resize, Isa isa) {
  const auto resized =
      std::ranges::count_if(resize.dims, [](const ResizeDim& dim) { return !dim.taps.empty(); });
  if (static_cast<size_t>(resized) > kMaxResized)
    return Error(Code::kUnsupported, "resizes ", resized, " dimensions, wanted at most ",
                 kMaxResized);
  switch (resize.dtype) {
    case DType::kF32:
      return MakeKernel<ResizeKernel<float>>(std::move(resize), LoopsFor(isa));
    case DType::kU8:
    case DType::kS8:
      return MakeKernel<ResizeKernel<uint8_t>>(std::move(resize), LoopsFor(isa));
    default:
      return Error(Code::kUnsupported, "element type ", DTypeName(resize.dtype));
  }
}

}  // namespace intmill::native
