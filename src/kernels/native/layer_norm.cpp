// Layer normalization: a row at a time, and its bytes while the floats are in the nearest cache.
#include "kernels/native/layer_norm.h"

#include <algorithm>
#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 4096;    // elements that are worth a thread of their own
constexpr int64_t kMaxRanges = 32;  // of rows, that run at the same time
constexpr int64_t kLine = 64;
constexpr int64_t kRowsAhead = 2;  // fetched as early as other cores take to give lines up

class LayerNormKernel : public Kernel {
 public:
  LayerNormKernel(const LayerNorm& norm, const Loops& loops)
      : norm_(norm),
        loops_(loops),
        ranges_(std::clamp<int64_t>(norm.rows * norm.columns / kGrain, 1,
                                    std::min(norm.rows, kMaxRanges))),
        row_bytes_((norm.columns * int64_t{sizeof(float)} + kLine - 1) / kLine * kLine),
        name_(Cat("native layer norm:", loops.level)) {}

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return norm_.has_floats ? 0 : ranges_ * row_bytes_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const bool is_shared = CurrentThreads() > 1;
    ParallelFor(ranges_, 1, [&](int64_t begin, int64_t end) {
      auto* row =
          norm_.has_floats ? nullptr : reinterpret_cast<float*>(args.scratch + begin * row_bytes_);
      const int64_t end_row = norm_.rows * end / ranges_;
      for (int64_t i = norm_.rows * begin / ranges_; i < end_row; ++i) {
        if (is_shared && i + kRowsAhead < end_row) Fetch(args, i + kRowsAhead);
        RunRow(args, i, row);
      }
    });
    return Ok();
  }

 private:
  void Fetch(const RunArgs& args, int64_t i) const {
    const int64_t n = norm_.columns;
    if (norm_.out_dtype) loops_.fetch(static_cast<uint8_t*>(args.outputs[0]) + i * n, n);
    if (norm_.has_floats)
      loops_.fetch(static_cast<float*>(args.outputs[norm_.out_dtype ? 1 : 0]) + i * n, 4 * n);
  }

  void RunRow(const RunArgs& args, int64_t i, float* row) const {
    const int64_t n = norm_.columns;
    const auto* x = static_cast<const float*>(args.inputs[0]) + i * n;
    const auto* scale = static_cast<const float*>(args.inputs[1]);
    const auto* bias = norm_.has_bias ? static_cast<const float*>(args.inputs[2]) : nullptr;
    const size_t floats = norm_.out_dtype ? 1 : 0;
    if (norm_.has_floats) row = static_cast<float*>(args.outputs[floats]) + i * n;
    loops_.layer_norm({scale, bias, norm_.epsilon}, x, row, n);
    if (!norm_.out_dtype) return;
    const bool is_s8 = norm_.out_dtype == DType::kS8;
    const auto zero_point = static_cast<float>(norm_.out_zero_point + (is_s8 ? 128 : 0));
    loops_.attention->to_bytes(row, 1.0f / norm_.out_scale, zero_point, is_s8 ? 0x80 : 0,
                               static_cast<uint8_t*>(args.outputs[0]) + i * n, n);
  }

  const LayerNorm norm_;
  const Loops& loops_;
  const int64_t ranges_;
  const int64_t row_bytes_;
  const std::string name_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeLayerNorm(const LayerNorm& norm, Isa isa) {
  return MakeKernel<LayerNormKernel>(norm, LoopsFor(isa));
}

}  // namespace intmill::native
