// Pooling over channels-last images.
#include "kernels/native/pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "kernels/native/levels.h"
#include "kernels/native/tasks.h"
#include "kernels/native/triple.h"

namespace intmill::native {
namespace {

// The elements of a window that lie in the image, per dimension: first, first + step, ... < end.
struct Span {
  int64_t first = 0;
  int64_t end = 0;
  int64_t step = 1;

  int64_t count() const { return first >= end ? 0 : (end - first + step - 1) / step; }
};

template <typename T>
void Saturate(const int32_t* sums, int64_t n, const Pool& pool, int64_t elements, int64_t counted,
              T* out) {
  constexpr float kLow = std::numeric_limits<T>::min();
  constexpr float kHigh = std::numeric_limits<T>::max();
  const auto factor = static_cast<float>(pool.ratio / static_cast<double>(counted));
  const auto zero = static_cast<int32_t>(elements * pool.in_zero_point);
  const auto zero_point = static_cast<float>(pool.out_zero_point);
  for (int64_t i = 0; i < n; ++i) {
    float t = static_cast<float>(sums[i] - zero) * factor;
    t = std::min(std::max(t, pool.low), pool.high);
    out[i] = static_cast<T>(std::clamp(std::rint(t) + zero_point, kLow, kHigh));
  }
}

class PoolKernel : public Kernel {
 public:
  PoolKernel(const Pool& p, const Loops& loops)
      : pool_(p),
        in_(ToTriple(p.in, 1)),
        out_(ToTriple(p.out, 1)),
        kernel_(ToTriple(p.kernel, 1)),
        strides_(ToTriple(p.strides, 1)),
        dilations_(ToTriple(p.dilations, 1)),
        pads_begin_(ToTriple(p.pads_begin, 0)),
        pads_end_(ToTriple(p.pads_end, 0)),
        last_whole_((in_[2] - 1 - (kernel_[2] - 1) * dilations_[2] + pads_begin_[2]) / strides_[2]),
        loops_(*loops.pool),
        name_(Cat("native ", p.is_average ? "average" : "max", " pool ", DTypeName(p.dtype), ":",
                  loops.level)),
        tasks_(p.batch * out_[0] * out_[1] * out_[2], p.is_average ? p.channels * 8 : 0) {}

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return tasks_.scratch_bytes(); }

  Status Run(const RunArgs& args, KernelState*) const override {
    tasks_.Run(args.scratch, [&](int64_t begin, int64_t end, std::byte* scratch) {
      if (!pool_.is_average) return RunLargest(args, begin, end);
      for (int64_t pixel = begin; pixel < end; ++pixel) RunAverage(args, pixel, scratch);
    });
    return Ok();
  }

 private:
  int64_t pixel_bytes() const { return BitsOf(pool_.dtype) / 8 * pool_.channels; }

  Triple Position(int64_t pixel) const {
    return {pixel / (out_[1] * out_[2]) % out_[0], pixel / out_[2] % out_[1], pixel % out_[2]};
  }

  const std::byte* ImageOf(const RunArgs& args, int64_t pixel) const {
    const int64_t image = pixel / (out_[0] * out_[1] * out_[2]);
    return static_cast<const std::byte*>(args.inputs[0]) +
           image * in_[0] * in_[1] * in_[2] * pixel_bytes();
  }

  // The windows of neighbours in a row have one shape where the image does not cut them.
  void RunLargest(const RunArgs& args, int64_t begin, int64_t end) const {
    const auto loop = pool_.dtype == DType::kF32  ? loops_.largest_f32
                      : pool_.dtype == DType::kU8 ? loops_.largest_u8
                                                  : loops_.largest_s8;
    for (int64_t pixel = begin; pixel < end;) {
      const Triple at = Position(pixel);
      const std::array<Span, 3> window = {InImage(0, at), InImage(1, at), InImage(2, at)};
      Windows windows = {.x = ElementAt(ImageOf(args, pixel), window),
                         .count = 1,
                         .step = strides_[2] * pixel_bytes(),
                         .sizes = {window[0].count(), window[1].count(), window[2].count()},
                         .strides = {},
                         .channels = pool_.channels};
      for (size_t d = 0; d < 3; ++d)
        windows.strides[d] =
            dilations_[d] * pixel_bytes() * (d < 2 ? in_[2] : 1) * (d < 1 ? in_[1] : 1);
      if (windows.sizes[2] == kernel_[2])
        windows.count = std::min({end - pixel, out_[2] - at[2], last_whole_ - at[2] + 1});
      loop(windows, static_cast<std::byte*>(args.outputs[0]) + pixel * pixel_bytes());
      pixel += windows.count;
    }
  }

  void RunAverage(const RunArgs& args, int64_t pixel, std::byte* scratch) const {
    const Triple at = Position(pixel);
    std::array<Span, 3> window;
    int64_t elements = 1;
    int64_t counted = 1;
    for (size_t d = 0; d < 3; ++d) {
      window[d] = InImage(d, at);
      elements *= window[d].count();
      counted *= Clipped(d, StartOf(d, at), -pads_begin_[d], in_[d] + pads_end_[d]).count();
    }
    Average(ImageOf(args, pixel), window, elements, pool_.count_padding ? counted : elements,
            scratch, static_cast<std::byte*>(args.outputs[0]) + pixel * pixel_bytes());
  }

  int64_t StartOf(size_t d, const Triple& at) const { return at[d] * strides_[d] - pads_begin_[d]; }
  Span InImage(size_t d, const Triple& at) const { return Clipped(d, StartOf(d, at), 0, in_[d]); }

  // The part of a window that begins at `start` which lies in [low, high).
  Span Clipped(size_t d, int64_t start, int64_t low, int64_t high) const {
    const int64_t step = dilations_[d];
    Span s{
        .first = start, .end = std::min(start + (kernel_[d] - 1) * step + 1, high), .step = step};
    if (start < low) s.first += (low - start + step - 1) / step * step;
    return s;
  }

  const std::byte* ElementAt(const std::byte* x, const std::array<Span, 3>& w) const {
    return x + ((w[0].first * in_[1] + w[1].first) * in_[2] + w[2].first) * pixel_bytes();
  }

  template <typename Body>
  void ForPixels(const std::byte* x, const std::array<Span, 3>& w, Body&& body) const {
    const int64_t size = pixel_bytes();
    for (int64_t i = w[0].first; i < w[0].end; i += w[0].step)
      for (int64_t j = w[1].first; j < w[1].end; j += w[1].step)
        for (int64_t k = w[2].first; k < w[2].end; k += w[2].step)
          body(x + ((i * in_[1] + j) * in_[2] + k) * size);
  }

  void Average(const std::byte* x, const std::array<Span, 3>& window, int64_t elements,
               int64_t counted, std::byte* scratch, std::byte* y) const {
    const int64_t n = pool_.channels;
    std::memset(scratch, 0, static_cast<size_t>(n) * 8);
    // A window that lies in the padding alone has the average of nothing: zero.
    counted = std::max<int64_t>(counted, 1);
    if (pool_.dtype == DType::kF32) {
      auto* sums = reinterpret_cast<double*>(scratch);
      ForPixels(x, window, [&](const std::byte* pixel) {
        loops_.sum_f32(reinterpret_cast<const float*>(pixel), sums, n);
      });
      auto* out = reinterpret_cast<float*>(y);
      for (int64_t i = 0; i < n; ++i) {
        const auto mean = static_cast<float>(sums[i] / static_cast<double>(counted));
        out[i] = std::min(std::max(mean, pool_.low), pool_.high);
      }
      return;
    }
    auto* sums = reinterpret_cast<int32_t*>(scratch);
    const bool is_u8 = pool_.dtype == DType::kU8;
    const auto loop = is_u8 ? loops_.sum_u8 : loops_.sum_s8;
    ForPixels(x, window, [&](const std::byte* pixel) { loop(pixel, sums, n); });
    if (is_u8) {
      Saturate(sums, n, pool_, elements, counted, reinterpret_cast<uint8_t*>(y));
    } else {
      Saturate(sums, n, pool_, elements, counted, reinterpret_cast<int8_t*>(y));
    }
  }

  const Pool pool_;
  const Triple in_;
  const Triple out_;
  const Triple kernel_;
  const Triple strides_;
  const Triple dilations_;
  const Triple pads_begin_;
  const Triple pads_end_;
  const int64_t last_whole_;  // in a row, of the windows that the image does not cut
  const PoolLoops& loops_;
  const std::string name_;
  const Tasks tasks_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakePool(const Pool& pool, Isa isa) {
  if (pool.dtype != DType::kF32 && !IsQuantized8(pool.dtype))
    return Error(Code::kUnsupported, "pooling of type ", DTypeName(pool.dtype));
  return MakeKernel<PoolKernel>(pool, LoopsFor(isa));
}

}  // namespace intmill::native
