// Floats to 8-bit numbers and back, with scales known when the kernel is made or taken from the
// data.
#include "kernels/native/quantize.h"

#include <algorithm>
#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "tensor/qparams.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 8192;

std::vector<ByteScale> ByteScalesOf(const ScaledRows& rows) {
  const bool is_signed = rows.dtype == DType::kS8;
  std::vector<ByteScale> scales;
  for (size_t i = 0; i < rows.scales.size(); ++i)
    scales.push_back({.flip = static_cast<uint8_t>(is_signed ? 0x80 : 0),
                      .zero_point = rows.zero_points[i] + (is_signed ? 128 : 0),
                      .scale = rows.scales[i]});
  return scales;
}

// From In to Out, a row at a time.
template <typename In, typename Out>
class RowsKernel : public Kernel {
 public:
  using Loop = void (*)(const In* x, Out* y, int64_t n, const ByteScale& scale);

  RowsKernel(const ScaledRows& rows, Loop loop, std::string name)
      : elements_(rows.elements),
        row_length_(rows.row_length),
        scales_(ByteScalesOf(rows)),
        loop_(loop),
        name_(std::move(name)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const In* x = static_cast<const In*>(args.inputs[0]);
    Out* y = static_cast<Out*>(args.outputs[0]);
    const auto count = static_cast<int64_t>(scales_.size());
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      while (begin < end) {
        const int64_t n = std::min(row_length_ - begin % row_length_, end - begin);
        const auto at = static_cast<size_t>(begin / row_length_ % count);
        loop_(x + begin, y + begin, n, scales_[at]);
        begin += n;
      }
    });
    return Ok();
  }

 private:
  const int64_t elements_;
  const int64_t row_length_;
  const std::vector<ByteScale> scales_;
  const Loop loop_;
  const std::string name_;
};

class DynamicQuantizeKernel : public Kernel {
 public:
  DynamicQuantizeKernel(int64_t elements, const Loops& loops)
      : elements_(elements), loops_(loops), name_(Cat("native dynamic quantize:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const float*>(args.inputs[0]);
    auto* y = static_cast<uint8_t*>(args.outputs[0]);
    Range range;
    loops_.range(x, elements_, &range.min, &range.max);
    ByteScale scale{};
    ChooseScale(range, DType::kU8, false, &scale.scale, &scale.zero_point);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      loops_.quantize(x + begin, y + begin, end - begin, scale);
    });
    *static_cast<float*>(args.outputs[1]) = scale.scale;
    *static_cast<uint8_t*>(args.outputs[2]) = static_cast<uint8_t>(scale.zero_point);
    return Ok();
  }

 private:
  const int64_t elements_;
  const Loops& loops_;
  const std::string name_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeQuantize(ScaledRows rows, Isa isa) {
  const Loops& loops = LoopsFor(isa);
  return MakeKernel<RowsKernel<float, uint8_t>>(rows, loops.quantize,
                                                Cat("native quantize:", loops.level));
}

Result<std::unique_ptr<Kernel>> MakeDequantize(ScaledRows rows, Isa isa) {
  const Loops& loops = LoopsFor(isa);
  return MakeKernel<RowsKernel<uint8_t, float>>(rows, loops.dequantize,
                                                Cat("native dequantize:", loops.level));
}

Result<std::unique_ptr<Kernel>> MakeDynamicQuantize(int64_t elements, Isa isa) {
  return MakeKernel<DynamicQuantizeKernel>(elements, LoopsFor(isa));
}

}  // namespace intmill::native
