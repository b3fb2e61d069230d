// Depthwise convolutions of 8-bit numbers: every channel has a small kernel of its own. Channels
// are cut into blocks that fill registers, of which loops/depthwise.cpp computes a line at a time.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/memory.h"
#include "kernels/convolution.h"
#include "kernels/native/epilogue_row.h"
#include "kernels/native/levels.h"
#include "kernels/native/round_up.h"
#include "kernels/native/tasks.h"
#include "kernels/packing_scope.h"

namespace intmill::native {
namespace {

constexpr int64_t kNarrowest = 16;   // channels of a block, at least
constexpr int64_t kUnfinished = 16;  // pixels whose sums wait for the epilogue

// The channels of a layer as blocks of one width. The last block overlaps the one before it where
// they do not divide: two stores of the same numbers cost less than a second width.
struct Division {
  int64_t width;
  int64_t count;
  int64_t channels;  // at least a block

  int64_t First(int64_t block) const { return std::min(block * width, channels - width); }
};

const DepthwiseWidth& WidthFor(const DepthwiseLoops& loops, int64_t channels) {
  int64_t i = 0;
  while (i + 1 < loops.width_count && loops.widths[i].channels > channels) ++i;
  return loops.widths[i];
}

Division Divide(const DepthwiseLoops& loops, int64_t channels) {
  const int64_t width = WidthFor(loops, channels).channels;
  return {.width = width,
          .count = (channels + width - 1) / width,
          .channels = std::max(channels, width)};
}

// What `steps` and what follows make of t, with bounds of integers: monotone, so that applying it
// to the ends of the line of numbers gives the bounds of what it gives.
float Bound(const Convolution& c, float t) {
  for (const EpilogueStep& step : c.epilogue.steps) {
    t = t > step.alpha ? t : step.alpha;
    t = t < step.beta ? t : step.beta;
  }
  t = t + static_cast<float>(c.epilogue.zero_point);
  if (c.out_dtype == DType::kF32) return t;
  const float low = c.out_dtype == DType::kU8 ? 0.0f : -128.0f;
  return std::clamp(t, low, low + 255.0f);
}

// Whether every t is so small that rounding it gives an int32.
bool IsBounded(const Convolution& c) {
  constexpr float kLimit = 1e9f;
  const auto largest_sum = static_cast<float>(c.kernel[0] * c.kernel[1] * 255 * 128);
  return std::ranges::all_of(c.epilogue.scales,
                             [&](float s) { return std::fabs(s) * largest_sum < kLimit; }) &&
         std::ranges::all_of(c.epilogue.bias, [](float b) { return std::fabs(b) < kLimit; });
}

DepthwiseFinish FinishOf(const Convolution& c) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = Bound(c, -kInfinity);
  const float high = Bound(c, kInfinity);
  const bool is_float = c.out_dtype == DType::kF32;
  return {.output = is_float                    ? DepthwiseOutput::kF32
                    : c.out_dtype == DType::kU8 ? DepthwiseOutput::kU8
                                                : DepthwiseOutput::kS8,
          .has_zero_point = c.epilogue.zero_point != 0,
          .has_clamp = !c.epilogue.steps.empty(),
          .is_bounded = IsBounded(c),
          .zero_point = static_cast<float>(c.epilogue.zero_point),
          .low = is_float ? low : std::rint(low),
          .high = is_float ? high : std::rint(high)};
}

// Weights, starts, scales and biases of all blocks, each block in one piece.
class PackedDepthwise {
 public:
  PackedDepthwise() = default;

  static Result<PackedDepthwise> Pack(const Convolution& c, const DepthwiseLoops& loops) {
    PackedDepthwise p;
    p.side_ = c.kernel[0];
    p.group_ = loops.group;
    p.weight_bytes_ = loops.weight_bytes;
    p.blocks_ = Divide(loops, c.in_channels);
    ASSIGN_OR_RETURN(p.memory_, PackOnce(p.bytes(), [&](std::byte* memory) {
                       for (int64_t b = 0; b < p.blocks_.count; ++b)
                         for (int64_t i = 0;
                              i < p.blocks_.width && p.blocks_.First(b) + i < c.in_channels; ++i)
                           p.PackChannel(c, b, i, memory);
                       return Ok();
                     }));
    return p;
  }

  int64_t bytes() const { return blocks_.count * BlockBytes(); }
  const Division& blocks() const { return blocks_; }

  DepthwiseBlocks All() const {
    return {.packed = reinterpret_cast<const uint8_t*>(memory_.get()),
            .bytes = BlockBytes(),
            .count = blocks_.count,
            .last = blocks_.First(blocks_.count - 1)};
  }

 private:
  int64_t WeightBytes() const {
    return side_ * RoundUp(side_, group_) * blocks_.width * weight_bytes_;
  }
  int64_t BlockBytes() const { return WeightBytes() + 3 * blocks_.width * 4; }

  // Adding -0.0 changes nothing, not even the sign of a zero: an absent bias.
  void PackChannel(const Convolution& c, int64_t block, int64_t i, std::byte* memory) const {
    const auto channel = static_cast<size_t>(blocks_.First(block) + i);
    std::byte* at = memory + block * BlockBytes();
    const int64_t place = DepthwisePlace(i, blocks_.width);
    const int64_t sum = PackWeights(c, static_cast<int64_t>(channel), place, at);
    const Epilogue& e = c.epilogue;
    const int64_t zero_point = c.in_zero_point + (c.in_dtype == DType::kS8 ? 128 : 0);
    const auto start = static_cast<int32_t>(-zero_point * sum);
    const float scale = e.scales[e.scales.size() == 1 ? 0 : channel];
    const float bias = e.bias.empty() ? -0.0f : e.bias[channel];
    at += WeightBytes() + place * 4;
    std::memcpy(at, &start, sizeof start);
    std::memcpy(at + blocks_.width * 4, &scale, sizeof scale);
    std::memcpy(at + blocks_.width * 8, &bias, sizeof bias);
  }

  // Returns the sum of a channel's weights.
  int64_t PackWeights(const Convolution& c, int64_t channel, int64_t place, std::byte* to) const {
    const int8_t* from = static_cast<const int8_t*>(c.weights) + channel * side_ * side_;
    const int64_t groups = RoundUp(side_, group_) / group_;
    int64_t sum = 0;
    for (int64_t row = 0; row < side_; ++row) {
      for (int64_t column = 0; column < side_; ++column) {
        const int16_t weight = from[row * side_ + column];
        const int64_t vector = column * groups + row / group_;
        const int64_t at = (vector * blocks_.width + place) * group_ + row % group_;
        // Little-endian where a weight is one byte: x86.
        std::memcpy(to + at * weight_bytes_, &weight, static_cast<size_t>(weight_bytes_));
        sum += weight;
      }
    }
    return sum;
  }

  int64_t side_ = 0;  // of a kernel
  int64_t group_ = 0;
  int64_t weight_bytes_ = 0;
  Division blocks_ = {};
  SharedBytes memory_;
};

class DepthwiseConvolution : public Kernel {
 public:
  DepthwiseConvolution(const Convolution& c, const Loops& loops, TableLoop table_loop,
                       PackedDepthwise packed, AlignedBytes padding)
      : channels_(c.in_channels),
        in_{c.in[0], c.in[1]},
        out_{c.out[0], c.out[1]},
        side_(c.kernel[0]),
        strides_{c.strides[0], c.strides[1]},
        pads_{c.pads[0], c.pads[1]},
        zero_point_(static_cast<uint8_t>(c.in_zero_point)),
        flip_(c.in_dtype == DType::kS8 ? 0x80 : 0),
        out_dtype_(c.out_dtype),
        bias_input_(c.bias_input),
        epilogue_(c.epilogue),
        is_fused_(IsFused(c)),
        finish_(is_fused_ ? FinishOf(c) : DepthwiseFinish{.output = DepthwiseOutput::kSums}),
        loop_(LoopFor(c, *loops.depthwise)),
        table_loop_(table_loop),
        name_(Cat("native int8 depthwise:", loops.level)),
        packed_(std::move(packed)),
        padding_(std::move(padding)),
        tasks_(c.batch * out_[0], WideBytes() + SumBytes()) {}

  // Whether the loops do all of the epilogue.
  static bool IsFused(const Convolution& c) {
    return c.in_channels >= kNarrowest && c.epilogue.divisor == 1 &&
           std::ranges::all_of(c.epilogue.steps, [](const EpilogueStep& step) {
             return step.kind == EpilogueStep::Kind::kClip;
           });
  }

  // Of a line of padding, which rows outside the image are read from.
  static int64_t LineBytes(const Convolution& c) {
    return c.in[1] * std::max(c.in_channels, kNarrowest);
  }

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return tasks_.scratch_bytes(); }
  int64_t packed_bytes() const override { return packed_.bytes(); }
  bool packs_input(int64_t i) const override { return i == 1 || i == bias_input_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    tasks_.Run(args.scratch, [&](int64_t begin, int64_t end, std::byte* scratch) {
      for (int64_t line = begin; line < end; ++line) {
        if (is_fused_) {
          RunFused(args, line);
        } else {
          for (int64_t first = 0; first < out_[1]; first += kUnfinished)
            RunUnfused(args, line, first, scratch);
        }
        if (epilogue_.table) LookUp(args, line);
      }
    });
    return Ok();
  }

 private:
  static DepthwiseLoop LoopFor(const Convolution& c, const DepthwiseLoops& loops) {
    const DepthwiseWidth& width = WidthFor(loops, c.in_channels);
    return (c.kernel[0] == 3 ? width.side3 : width.side5)[c.strides[1] - 1];
  }

  bool IsNarrow() const { return channels_ < kNarrowest; }

  // Scratch of a task: a narrow image's pixels made wide; sums and a row of floats.
  int64_t WideBytes() const { return IsNarrow() ? side_ * in_[1] * kNarrowest : 0; }
  int64_t SumBytes() const {
    return is_fused_ ? 0 : (kUnfinished + 1) * packed_.blocks().channels * 4;
  }

  void RunFused(const RunArgs& args, int64_t line) const {
    const int64_t line_bytes = out_[1] * channels_ * (BitsOf(out_dtype_) / 8);
    DepthwiseStrip strip = StripOf(args, line, 0, out_[1]);
    strip.out = static_cast<std::byte*>(args.outputs[0]) + line * line_bytes;
    loop_(strip, packed_.All(), finish_);
  }

  // Of a whole line, as the loops compute channels of the last block twice.
  void LookUp(const RunArgs& args, int64_t line) const {
    const int64_t line_bytes = out_[1] * channels_;
    uint8_t* const bytes = static_cast<uint8_t*>(args.outputs[0]) + line * line_bytes;
    table_loop_(epilogue_.table->data(), bytes, bytes, line_bytes);
  }

  // Output pixels from `first` on, whose sums wait in scratch memory.
  void RunUnfused(const RunArgs& args, int64_t line, int64_t first, std::byte* scratch) const {
    DepthwiseStrip strip = StripOf(args, line, first, std::min(kUnfinished, out_[1] - first));
    if (IsNarrow()) Widen(reinterpret_cast<uint8_t*>(scratch), strip);
    auto* sums = reinterpret_cast<int32_t*>(scratch + WideBytes());
    const int64_t step = packed_.blocks().channels;
    strip.out = sums;
    strip.out_step = step;
    loop_(strip, packed_.All(), finish_);
    auto* row = reinterpret_cast<float*>(sums + kUnfinished * step);
    const int64_t offset = (line * out_[1] + first) * channels_;
    for (int64_t p = 0; p < strip.pixels; ++p)
      FinishRow(epilogue_, out_dtype_, sums + p * step, channels_, args, offset + p * channels_,
                row);
  }

  const uint8_t* Padding() const { return reinterpret_cast<const uint8_t*>(padding_.get()); }

  // Where the rows under the kernel lie, and how many of its columns are in the image.
  DepthwiseStrip StripOf(const RunArgs& args, int64_t line, int64_t first, int64_t pixels) const {
    const int64_t x = first * strides_[1] - pads_[1];
    const int64_t columns = (pixels - 1) * strides_[1] + side_;
    const int64_t left = std::clamp<int64_t>(-x, 0, columns);
    DepthwiseStrip strip = {.step = channels_,
                            .left = left,
                            .middle = std::clamp<int64_t>(in_[1] - x, left, columns) - left,
                            .padding = zero_point_,
                            .flip = flip_,
                            .pixels = pixels,
                            .out_step = channels_};
    const auto* image =
        static_cast<const uint8_t*>(args.inputs[0]) + line / out_[0] * in_[0] * in_[1] * channels_;
    const int64_t y = line % out_[0] * strides_[0] - pads_[0];
    for (int64_t r = 0; r < side_; ++r) {
      const bool is_inside = y + r >= 0 && y + r < in_[0] && strip.middle > 0;
      strip.rows[r] = is_inside ? image + ((y + r) * in_[1] + x + left) * channels_ : Padding();
    }
    return strip;
  }

  // Copies pixels of fewer channels than a block to where each has room for one.
  void Widen(uint8_t* to, DepthwiseStrip& strip) const {
    strip.step = kNarrowest;
    for (int64_t r = 0; r < side_; ++r) {
      if (strip.rows[r] == Padding()) continue;
      for (int64_t k = 0; k < strip.middle; ++k)
        std::memcpy(to + k * kNarrowest, strip.rows[r] + k * channels_,
                    static_cast<size_t>(channels_));
      strip.rows[r] = to;
      to += strip.middle * kNarrowest;
    }
  }

  using Pair = std::array<int64_t, 2>;  // of rows, of columns

  const int64_t channels_;
  const Pair in_;
  const Pair out_;
  const int64_t side_;  // of the kernel
  const Pair strides_;
  const Pair pads_;
  const uint8_t zero_point_;
  const uint8_t flip_;
  const DType out_dtype_;
  const int64_t bias_input_;
  const Epilogue epilogue_;
  const bool is_fused_;
  const DepthwiseFinish finish_;
  const DepthwiseLoop loop_;
  const TableLoop table_loop_;
  const std::string name_;
  const PackedDepthwise packed_;
  const AlignedBytes padding_;
  const Tasks tasks_;
};

bool IsSupported(const Convolution& c) {
  const bool is_depthwise =
      !c.transposed && c.groups == c.in_channels && c.groups == c.out_channels && c.in.size() == 2;
  return is_depthwise && IsQuantized8(c.in_dtype) && c.weight_dtype == DType::kS8 &&
         std::ranges::all_of(c.weight_zero_points, [](int32_t z) { return z == 0; }) &&
         std::ranges::all_of(c.dilations, [](int64_t d) { return d == 1; }) &&
         std::ranges::all_of(c.strides, [](int64_t s) { return s <= 2; }) &&
         c.kernel[0] == c.kernel[1] && (c.kernel[0] == 3 || c.kernel[0] == 5);
}

}  // namespace

bool PrefersDepthwise(const Convolution& conv) {
  // Five columns of sums leave no registers for weights: oneDNN's 5 x 5 was found to be faster.
  return IsSupported(conv) && DepthwiseConvolution::IsFused(conv) && conv.kernel[0] == 3;
}

Result<std::unique_ptr<Kernel>> MakeDepthwise(const Convolution& conv, Isa isa) {
  if (!IsSupported(conv))
    return Error(Code::kUnsupported, "a depthwise convolution of other sizes than 3 x 3 and 5 x 5");
  TRY(CheckEpilogue(conv.epilogue));
  const Loops& loops = LoopsFor(isa);
  ASSIGN_OR_RETURN(PackedDepthwise packed, PackedDepthwise::Pack(conv, *loops.depthwise));
  const int64_t bytes = DepthwiseConvolution::LineBytes(conv);
  ASSIGN_OR_RETURN(AlignedBytes padding, AllocateAligned(bytes));
  std::memset(padding.get(), conv.in_zero_point, static_cast<size_t>(bytes));
  return MakeKernel<DepthwiseConvolution>(conv, loops, TableLoopFor(isa), std::move(packed),
                                          std::move(padding));
}

}  // namespace intmill::native
