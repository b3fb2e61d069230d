// Convolutions of 8-bit numbers with exact sums on any instruction set and any zero points: windows
// are gathered as 16-bit rows, without zero points, and multiplied with rows of weights.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/memory.h"
#include "kernels/convolution.h"
#include "kernels/native/epilogue_row.h"
#include "kernels/native/levels.h"
#include "kernels/native/tasks.h"
#include "kernels/native/triple.h"
#include "kernels/packing_scope.h"

namespace intmill::native {
namespace {

constexpr int64_t kPixels = 4;  // gathered together

class IntegerConvolution : public Kernel {
 public:
  IntegerConvolution(const Convolution& c, const Loops& loops, SharedBytes packed)
      : batch_(c.batch),
        groups_(c.groups),
        in_channels_(c.in_channels),
        out_channels_(c.out_channels),
        in_(ToTriple(c.in, 1)),
        out_(ToTriple(c.out, 1)),
        kernel_(ToTriple(c.kernel, 1)),
        strides_(ToTriple(c.strides, 1)),
        dilations_(ToTriple(c.dilations, 1)),
        pads_(ToTriple(c.pads, 0)),
        transposed_(c.transposed),
        flip_(c.in_dtype == DType::kS8 ? 0x80 : 0),
        zero_point_(c.in_zero_point + (c.in_dtype == DType::kS8 ? 128 : 0)),
        out_dtype_(c.out_dtype),
        bias_input_(c.bias_input),
        epilogue_(c.epilogue),
        loops_(*loops.integer),
        name_(Cat(IsDepthwise(c) ? "native int8 depthwise:" : "native int8 conv:", loops.level)),
        packed_(std::move(packed)),
        depthwise_(IsDepthwise(c)),
        taps_(kernel_[0] * kernel_[1] * kernel_[2]),
        depth_(depthwise_ ? in_channels_ : taps_ * (in_channels_ / groups_)),
        blocks_((out_[2] + kPixels - 1) / kPixels),
        tasks_(batch_ * out_[0] * out_[1] * blocks_, TaskBytes()) {}

  static bool IsDepthwise(const Convolution& c) {
    return c.groups > 1 && c.groups == c.in_channels && c.groups == c.out_channels;
  }

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return tasks_.scratch_bytes(); }
  int64_t packed_bytes() const override {
    return taps_ * (in_channels_ / groups_) * out_channels_ * 2;
  }
  bool packs_input(int64_t i) const override { return i == 1 || i == bias_input_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    tasks_.Run(args.scratch, [&](int64_t begin, int64_t end, std::byte* scratch) {
      for (int64_t i = begin; i < end; ++i)
        RunBlock(args, i / blocks_, i % blocks_ * kPixels, scratch);
    });
    return Ok();
  }

 private:
  int64_t GatheredBytes() const { return (kPixels * depth_ * 2 + 63) / 64 * 64; }
  int64_t TaskBytes() const { return GatheredBytes() + (kPixels + 1) * out_channels_ * 4; }

  // Up to kPixels output pixels from `first` on, in a line along the last dimension.
  void RunBlock(const RunArgs& args, int64_t line, int64_t first, std::byte* scratch) const {
    auto* gathered = reinterpret_cast<int16_t*>(scratch);
    auto* sums = reinterpret_cast<int32_t*>(scratch + GatheredBytes());
    auto* row = reinterpret_cast<float*>(sums + kPixels * out_channels_);
    const int64_t pixels = std::min(kPixels, out_[2] - first);
    const int64_t image = line / (out_[0] * out_[1]);
    const Triple at = {line / out_[1] % out_[0], line % out_[1], first};
    if (depthwise_) {
      SumDepthwise(args, image, at, pixels, gathered, sums);
    } else {
      SumGroups(args, image, at, pixels, gathered, sums);
    }
    for (int64_t p = 0; p < pixels; ++p)
      FinishRow(epilogue_, out_dtype_, sums + p * out_channels_, out_channels_, args,
                (line * out_[2] + first + p) * out_channels_, row);
  }

  void SumGroups(const RunArgs& args, int64_t image, Triple at, int64_t pixels, int16_t* gathered,
                 int32_t* sums) const {
    const auto* weights = reinterpret_cast<const int16_t*>(packed_.get());
    const int64_t columns = out_channels_ / groups_;
    const int64_t first = at[2];
    for (int64_t g = 0; g < groups_; ++g) {
      for (int64_t p = 0; p < pixels; ++p) {
        at[2] = first + p;
        Gather(args, image, at, g, gathered + p * depth_);
      }
      loops_.dot_rows(gathered, pixels, weights + g * columns * depth_, columns, depth_,
                      sums + g * columns, out_channels_);
    }
  }

  // The pixel under tap k of the window of output pixel `at`; -1 in the padding.
  int64_t PixelUnder(const Triple& at, const Triple& k) const {
    int64_t pixel = 0;
    for (size_t d = 0; d < 3; ++d) {
      int64_t i = 0;
      if (transposed_) {  // out = in * stride + k * dilation - pad
        i = at[d] + pads_[d] - k[d] * dilations_[d];
        if (i < 0 || i % strides_[d] != 0) return -1;
        i /= strides_[d];
      } else {
        i = at[d] * strides_[d] + k[d] * dilations_[d] - pads_[d];
      }
      if (i < 0 || i >= in_[d]) return -1;
      pixel = pixel * in_[d] + i;
    }
    return pixel;
  }

  const uint8_t* Pixel(const RunArgs& args, int64_t image, int64_t pixel) const {
    return static_cast<const uint8_t*>(args.inputs[0]) +
           (image * in_[0] * in_[1] * in_[2] + pixel) * in_channels_;
  }

  template <typename Body>
  void ForTaps(Body&& body) const {
    int64_t tap = 0;
    for (int64_t k0 = 0; k0 < kernel_[0]; ++k0)
      for (int64_t k1 = 0; k1 < kernel_[1]; ++k1)
        for (int64_t k2 = 0; k2 < kernel_[2]; ++k2) body(tap++, Triple{k0, k1, k2});
  }

  void Gather(const RunArgs& args, int64_t image, const Triple& at, int64_t group,
              int16_t* to) const {
    const int64_t channels = in_channels_ / groups_;
    ForTaps([&](int64_t tap, const Triple& k) {
      const int64_t pixel = PixelUnder(at, k);
      int16_t* target = to + tap * channels;
      if (pixel < 0) {
        std::memset(target, 0, static_cast<size_t>(channels) * 2);
      } else {
        loops_.widen(Pixel(args, image, pixel) + group * channels, flip_, zero_point_, target,
                     channels);
      }
    });
  }

  void SumDepthwise(const RunArgs& args, int64_t image, Triple at, int64_t pixels, int16_t* widened,
                    int32_t* sums) const {
    const auto* weights = reinterpret_cast<const int16_t*>(packed_.get());
    std::memset(sums, 0, static_cast<size_t>(pixels * out_channels_) * 4);
    for (int64_t p = 0; p < pixels; ++p, ++at[2]) {
      ForTaps([&](int64_t tap, const Triple& k) {
        const int64_t pixel = PixelUnder(at, k);
        if (pixel < 0) return;
        loops_.widen(Pixel(args, image, pixel), flip_, zero_point_, widened, in_channels_);
        loops_.multiply_add(widened, weights + tap * in_channels_, sums + p * out_channels_,
                            in_channels_);
      });
    }
  }

  const int64_t batch_;
  const int64_t groups_;
  const int64_t in_channels_;
  const int64_t out_channels_;
  const Triple in_;
  const Triple out_;
  const Triple kernel_;
  const Triple strides_;
  const Triple dilations_;
  const Triple pads_;
  const bool transposed_;
  const uint8_t flip_;
  const int32_t zero_point_;
  const DType out_dtype_;
  const int64_t bias_input_;
  const Epilogue epilogue_;
  const IntegerLoops& loops_;
  const std::string name_;
  const SharedBytes packed_;
  const bool depthwise_;
  const int64_t taps_;
  const int64_t depth_;
  const int64_t blocks_;  // of pixels in a line
  const Tasks tasks_;
};

// As rows [out channel][tap][in channel of the group]; depthwise as [tap][channel].
void Fill(const Convolution& c, std::byte* packed) {
  int64_t taps = 1;
  for (const int64_t k : c.kernel) taps *= k;
  const int64_t ins = c.in_channels / c.groups;
  const int64_t outs = c.out_channels / c.groups;
  auto* to = reinterpret_cast<int16_t*>(packed);
  for (int64_t o = 0; o < c.out_channels; ++o) {
    const int32_t zero_point =
        c.weight_zero_points.empty()
            ? 0
            : c.weight_zero_points[static_cast<size_t>(o) % c.weight_zero_points.size()];
    for (int64_t i = 0; i < ins; ++i) {
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t from = c.transposed ? ((o / outs * ins + i) * outs + o % outs) * taps + t
                                          : (o * ins + i) * taps + t;
        const int32_t q = c.weight_dtype == DType::kU8
                              ? int32_t{static_cast<const uint8_t*>(c.weights)[from]}
                              : int32_t{static_cast<const int8_t*>(c.weights)[from]};
        const int64_t at =
            IntegerConvolution::IsDepthwise(c) ? t * c.out_channels + o : (o * taps + t) * ins + i;
        to[at] = static_cast<int16_t>(q - zero_point);
      }
    }
  }
}

}  // namespace

Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa) {
  TRY(CheckEpilogue(conv.epilogue));
  int64_t weights = conv.out_channels * (conv.in_channels / conv.groups);
  for (const int64_t k : conv.kernel) weights *= k;
  ASSIGN_OR_RETURN(SharedBytes packed, PackOnce(weights * 2, [&](std::byte* memory) {
                     Fill(conv, memory);
                     return Ok();
                   }));
  return MakeKernel<IntegerConvolution>(conv, LoopsFor(isa), std::move(packed));
}

}  // namespace intmill::native
