// Floats to 8- and 16-bit numbers and back, with scales known when the kernel is made or taken from
// the data.
#include "kernels/native/quantize.h"

#include <algorithm>
#include <array>
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

class SplitInt16Kernel : public Kernel {
 public:
  SplitInt16Kernel(int64_t elements, std::optional<float> scale, const Loops& loops)
      : elements_(elements),
        quantizes_(scale.has_value()),
        scale_{.flip = 0, .zero_point = 0, .scale = scale.value_or(1)},
        loops_(*loops.int16),
        name_(Cat(quantizes_ ? "native quantize and split:" : "native split:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    auto* high = static_cast<uint8_t*>(args.outputs[0]);
    auto* low = static_cast<uint8_t*>(args.outputs[1]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      if (quantizes_)
        QuantizeAndSplit(static_cast<const float*>(args.inputs[0]), high, low, begin, end);
      else
        loops_.split(static_cast<const int16_t*>(args.inputs[0]) + begin, high + begin, low + begin,
                     end - begin);
    });
    return Ok();
  }

 private:
  // In blocks whose integers stay in the nearest cache.
  void QuantizeAndSplit(const float* x, uint8_t* high, uint8_t* low, int64_t begin,
                        int64_t end) const {
    constexpr int64_t kBlock = 1024;
    std::array<int16_t, kBlock> integers;
    for (int64_t n = 0; begin < end; begin += n) {
      n = std::min(kBlock, end - begin);
      loops_.quantize(x + begin, integers.data(), n, scale_);
      loops_.split(integers.data(), high + begin, low + begin, n);
    }
  }

  const int64_t elements_;
  const bool quantizes_;
  const ByteScale scale_;
  const Int16Loops& loops_;
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
  if (rows.dtype == DType::kS16)
    return MakeKernel<RowsKernel<float, int16_t>>(rows, loops.int16->quantize,
                                                  Cat("native quantize s16:", loops.level));
  return MakeKernel<RowsKernel<float, uint8_t>>(rows, loops.quantize,
                                                Cat("native quantize:", loops.level));
}

Result<std::unique_ptr<Kernel>> MakeDequantize(ScaledRows rows, Isa isa) {
  const Loops& loops = LoopsFor(isa);
  if (rows.dtype == DType::kS16)
    return MakeKernel<RowsKernel<int16_t, float>>(rows, loops.int16->dequantize,
                                                  Cat("native dequantize s16:", loops.level));
  return MakeKernel<RowsKernel<uint8_t, float>>(rows, loops.dequantize,
                                                Cat("native dequantize:", loops.level));
}

Result<std::unique_ptr<Kernel>> MakeSplitInt16(int64_t elements, std::optional<float> scale,
                                               Isa isa) {
  return MakeKernel<SplitInt16Kernel>(elements, scale, LoopsFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeDynamicQuantize(int64_t elements, Isa isa) {
  return MakeKernel<DynamicQuantizeKernel>(elements, LoopsFor(isa));
}

}  // namespace intmill::native
