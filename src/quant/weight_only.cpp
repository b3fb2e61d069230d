// QuantizeBlocks: scales first, then integers, then both in the order of the weight.
#include "quant/weight_only.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/gptq.h"
#include "quant/refine_blocks.h"
#include "tensor/half.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

// f16 has full precision from 2^-14 on; cut ranges halve a scale at most.
constexpr float kSmallestHalf = 0x1p-13f;
constexpr float kLargestHalf = 65504.0f;
// How much of the range 4-bit weights may keep.
constexpr float kCuts[] = {1.0f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f, 0.65f, 0.6f};

bool Is4Bits(DType dtype) { return dtype == DType::kS4 || dtype == DType::kU4; }

class Quantizer {
 public:
  Quantizer(const Tensor& weight, int64_t line_axis, const LayerScheme& scheme,
            const InputProducts* products)
      : scheme_(scheme),
        products_(products),
        shape_(weight.shape()),
        line_axis_(line_axis),
        lines_(weight.dim(line_axis)),
        depth_(weight.dim(1 - line_axis)),
        block_(scheme.group_size > 0 ? std::min(scheme.group_size, depth_) : depth_),
        blocks_((depth_ + block_ - 1) / block_),
        low_(static_cast<int32_t>(MinOf(scheme.weight_dtype))),
        high_(static_cast<int32_t>(MaxOf(scheme.weight_dtype))) {
    const float* from = weight.data<float>();
    weights_.resize(static_cast<size_t>(lines_ * depth_));
    for (int64_t n = 0; n < lines_; ++n)
      for (int64_t k = 0; k < depth_; ++k)
        weights_[static_cast<size_t>(n * depth_ + k)] = from[At(n, k, depth_)];
  }

  Result<BlockedWeight> Run() {
    half_ = HalvesWillDo();
    for (int64_t n = 0; n < lines_; ++n)
      for (int64_t b = 0; b < blocks_; ++b) params_.push_back(Choose(n, b));
    ASSIGN_OR_RETURN(const std::vector<int32_t> integers, Round());
    return Write(integers);
  }

 private:
  // Where element k of line n of a matrix with `length` elements a line lies.
  int64_t At(int64_t n, int64_t k, int64_t length) const {
    return line_axis_ == 0 ? n * length + k : k * lines_ + n;
  }

  std::span<const float> Block(int64_t n, int64_t b) const {
    const int64_t begin = b * block_;
    return std::span(weights_).subspan(static_cast<size_t>(n * depth_ + begin),
                                       static_cast<size_t>(std::min(block_, depth_ - begin)));
  }

  BlockParams ParamsOf(Range range, float cut) const {
    range.min *= cut;
    range.max *= cut;
    BlockParams p;
    ChooseScale(range, scheme_.weight_dtype, scheme_.weight_symmetric, &p.scale, &p.zero_point);
    if (!half_) return p;
    p.scale = F16ToFloat(FloatToF16(p.scale));
    if (!scheme_.weight_symmetric)
      p.zero_point = static_cast<int32_t>(
          std::clamp(std::rint(static_cast<float>(low_) - std::min(range.min, 0.0f) / p.scale),
                     static_cast<float>(low_), static_cast<float>(high_)));
    return p;
  }

  static Range RangeOf(std::span<const float> block) {
    Range range;
    for (const float w : block) {
      range.min = std::min(range.min, w);
      range.max = std::max(range.max, w);
    }
    return range;
  }

  bool HalvesWillDo() const {
    if (blocks_ == 1) return false;
    for (int64_t n = 0; n < lines_; ++n) {
      for (int64_t b = 0; b < blocks_; ++b) {
        const float scale = ParamsOf(RangeOf(Block(n, b)), 1).scale;
        if (scale < kSmallestHalf || scale > kLargestHalf) return false;
      }
    }
    return true;
  }

  double ErrorOf(std::span<const float> block, int64_t first, const BlockParams& p) const {
    double error = 0;
    for (size_t i = 0; i < block.size(); ++i) {
      const int32_t q = QuantizeValue(block[i], p.scale, p.zero_point, low_, high_);
      const double e = double{block[i]} - double{DequantizeValue(q, p.scale, p.zero_point)};
      const int64_t k = first + static_cast<int64_t>(i);
      error += e * e * (products_ == nullptr ? 1.0 : products_->Get(k, k));
    }
    return error;
  }

  BlockParams Choose(int64_t n, int64_t b) const {
    const std::span<const float> block = Block(n, b);
    const Range range = RangeOf(block);
    BlockParams best = ParamsOf(range, 1);
    if (!Is4Bits(scheme_.weight_dtype)) return best;
    double least = ErrorOf(block, b * block_, best);
    for (const float cut : kCuts) {
      const BlockParams p = ParamsOf(range, cut);
      const double error = ErrorOf(block, b * block_, p);
      if (error >= least) continue;
      least = error;
      best = p;
    }
    return best;
  }

  const BlockParams& Of(int64_t n, int64_t k) const {
    return params_[static_cast<size_t>(n * blocks_ + k / block_)];
  }

  Result<std::vector<int32_t>> Round() {
    const auto round = [this](int64_t n, int64_t k, double wanted, int32_t* q) {
      const BlockParams& p = Of(n, k);
      *q = QuantizeValue(static_cast<float>(wanted), p.scale, p.zero_point, low_, high_);
      return double{DequantizeValue(*q, p.scale, p.zero_point)};
    };
    if (products_ != nullptr && scheme_.gptq) {
      ASSIGN_OR_RETURN(
          std::vector<int32_t> rounded,
          RoundByGptq(weights_.data(), lines_, depth_, *products_,
                      {.damping = scheme_.gptq_damping, .ordered = scheme_.gptq_ordered}, round));
      RefineBlocks(weights_,
                   {.lines = lines_,
                    .depth = depth_,
                    .block = block_,
                    .low = low_,
                    .high = high_,
                    .half = half_,
                    .damping = scheme_.gptq_damping},
                   *products_, params_, rounded);
      return rounded;
    }
    std::vector<int32_t> integers(weights_.size());
    for (int64_t n = 0; n < lines_; ++n) {
      for (int64_t k = 0; k < depth_; ++k) {
        const auto at = static_cast<size_t>(n * depth_ + k);
        round(n, k, double{weights_[at]}, &integers[at]);
      }
    }
    return integers;
  }

  static void Store(Tensor& to, int64_t i, int32_t q) {
    if (Is4Bits(to.dtype())) {
      to.mutable_data<uint8_t>()[i / 2] |= static_cast<uint8_t>((q & 0xf) << (i % 2 * 4));
    } else {
      to.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(q & 0xff);
    }
  }

  Result<BlockedWeight> Write(const std::vector<int32_t>& integers) const {
    const bool has_blocks = blocks_ > 1;
    BlockedWeight out{.axis = has_blocks ? 1 - line_axis_ : line_axis_,
                      .block = has_blocks ? block_ : 0};
    ASSIGN_OR_RETURN(out.values, Tensor::Make(scheme_.weight_dtype, shape_));  // zeroed
    for (int64_t n = 0; n < lines_; ++n)
      for (int64_t k = 0; k < depth_; ++k)
        Store(out.values, At(n, k, depth_), integers[static_cast<size_t>(n * depth_ + k)]);
    Shape shape = {lines_};
    if (has_blocks) shape = line_axis_ == 0 ? Shape{lines_, blocks_} : Shape{blocks_, lines_};
    ASSIGN_OR_RETURN(out.scales, Tensor::Make(half_ ? DType::kF16 : DType::kF32, shape));
    const bool has_zero_points =
        std::ranges::any_of(params_, [](const BlockParams& p) { return p.zero_point != 0; });
    if (has_zero_points) {
      ASSIGN_OR_RETURN(out.zero_points, Tensor::Make(scheme_.weight_dtype, shape));
    }
    for (int64_t n = 0; n < lines_; ++n) {
      for (int64_t b = 0; b < blocks_; ++b) {
        const BlockParams& p = params_[static_cast<size_t>(n * blocks_ + b)];
        const int64_t at = At(n, b, blocks_);
        if (half_)
          out.scales.mutable_data<uint16_t>()[at] = FloatToF16(p.scale);
        else
          out.scales.mutable_data<float>()[at] = p.scale;
        if (has_zero_points) Store(out.zero_points, at, p.zero_point);
      }
    }
    return out;
  }

  const LayerScheme& scheme_;
  const InputProducts* const products_;
  const Shape shape_;
  const int64_t line_axis_;
  const int64_t lines_;
  const int64_t depth_;
  const int64_t block_;
  const int64_t blocks_;
  const int32_t low_;
  const int32_t high_;
  bool half_ = false;                // scales are stored in f16
  std::vector<float> weights_;       // [line][depth]
  std::vector<BlockParams> params_;  // [line][block]
};

}  // namespace

Result<BlockedWeight> QuantizeBlocks(const Tensor& weight, int64_t line_axis,
                                     const LayerScheme& scheme, const InputProducts* products) {
  if (products != nullptr && !products->usable()) products = nullptr;
  if (products != nullptr && products->channels() != weight.dim(1 - line_axis))
    return Error(Code::kShape, "products of ", products->channels(), " inputs for ",
                 weight.dim(1 - line_axis), " weights a line");
  return Quantizer(weight, line_axis, scheme, products).Run();
}

}  // namespace intmill
