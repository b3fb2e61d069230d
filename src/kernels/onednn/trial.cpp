// A kernel's trial: made-up inputs, one run, and a sample of the output in plain loops.
#include "kernels/onednn/trial.h"

#include <algorithm>
#include <vector>

#include "kernels/native/triple.h"
#include "kernels/onednn/trial_run.h"

namespace intmill::onednn {
namespace {

using native::ToTriple;
using native::Triple;

constexpr int64_t kProducts = 1 << 17;  // about this many multiplications a trial
constexpr int64_t kFewestRows = 4;
// Larger ones are believed: loading must not need much more memory than running, and the code for
// them is that of smaller ones of the same model.
constexpr int64_t kMostBytes = int64_t{1} << 28;

// Up to `wanted` indices of 0..n-1, evenly spaced, with both ends.
std::vector<int64_t> Spread(int64_t n, int64_t wanted) {
  std::vector<int64_t> indices;
  wanted = std::min(n, std::max<int64_t>(wanted, 2));
  for (int64_t i = 0; i < wanted; ++i)
    indices.push_back(wanted == 1 ? 0 : i * (n - 1) / (wanted - 1));
  return indices;
}

// Blocks are alike but for the last: all channels of that one, and some of the others.
std::vector<int64_t> SomeChannels(int64_t channels) {
  constexpr int64_t kOthers = 48;
  constexpr int64_t kLast = 80;
  std::vector<int64_t> chosen = Spread(channels, kOthers);
  for (int64_t c = std::max<int64_t>(0, channels - kLast); c < channels; ++c) chosen.push_back(c);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

// One image of a convolution in plain loops; the same walk as in native/integer_convolution.cpp.
class PlainConvolution {
 public:
  PlainConvolution(const Convolution& c, const void* image)
      : c_(c),
        image_(image),
        in_(ToTriple(c.in, 1)),
        out_(ToTriple(c.out, 1)),
        kernel_(ToTriple(c.kernel, 1)),
        strides_(ToTriple(c.strides, 1)),
        dilations_(ToTriple(c.dilations, 1)),
        pads_(ToTriple(c.pads, 0)),
        taps_(kernel_[0] * kernel_[1] * kernel_[2]) {}

  int64_t depth() const { return c_.in_channels / c_.groups * taps_; }

  // Of one channel of output row `row`: a pixel of an image.
  Sum Of(int64_t row, int64_t channel) const {
    const int64_t ins = c_.in_channels / c_.groups;
    const int64_t outs = c_.out_channels / c_.groups;
    const int64_t group = channel / outs;
    const Triple at = {row / (out_[1] * out_[2]) % out_[0], row / out_[2] % out_[1], row % out_[2]};
    const int64_t first_pixel = row / (out_[0] * out_[1] * out_[2]) * in_[0] * in_[1] * in_[2];
    Sum sum;
    for (int64_t tap = 0; tap < taps_; ++tap) {
      const int64_t pixel = PixelUnder(at, tap);
      if (pixel < 0) continue;
      const int64_t x = (first_pixel + pixel) * c_.in_channels + group * ins;
      const int64_t w = c_.transposed ? (group * ins * outs + channel % outs) * taps_ + tap
                                      : channel * ins * taps_ + tap;
      AddProducts({c_.in_dtype, image_, x, 1, c_.in_zero_point},
                  {c_.weight_dtype, c_.weights, w, c_.transposed ? outs * taps_ : taps_, 0}, ins,
                  sum);
    }
    return sum;
  }

 private:
  // -1 in the padding.
  int64_t PixelUnder(const Triple& at, int64_t tap) const {
    const Triple k = {tap / (kernel_[1] * kernel_[2]), tap / kernel_[2] % kernel_[1],
                      tap % kernel_[2]};
    int64_t pixel = 0;
    for (size_t d = 0; d < 3; ++d) {
      int64_t i = at[d] * strides_[d] + k[d] * dilations_[d] - pads_[d];
      if (c_.transposed) {  // out = in * stride + k * dilation - pad
        i = at[d] + pads_[d] - k[d] * dilations_[d];
        if (i % strides_[d] != 0) return -1;
        i /= strides_[d];
      }
      if (i < 0 || i >= in_[d]) return -1;
      pixel = pixel * in_[d] + i;
    }
    return pixel;
  }

  const Convolution& c_;
  const void* image_;
  const Triple in_;
  const Triple out_;
  const Triple kernel_;
  const Triple strides_;
  const Triple dilations_;
  const Triple pads_;
  const int64_t taps_;
};

// The matrix of a batch that matrix i of the output is made of; dimensions of 1 are stretched.
int64_t MatrixOf(const Shape& operand, const Shape& out, int64_t i) {
  int64_t index = 0;
  int64_t stride = 1;
  for (size_t d = operand.size() - 2; d-- > 0; i /= out[d]) {
    if (operand[d] != 1) index += i % out[d] * stride;
    stride *= operand[d];
  }
  return index;
}

// The first element of a row of `a` that lies apart from the others.
int64_t OfRow(const MatMul& m, int64_t row) {
  int64_t offset = 0;
  for (size_t d = m.a.size() - 1; d-- > 0; row /= m.a[d]) offset += row % m.a[d] * m.a_strides[d];
  return offset;
}

// Of `a` in memory, the gaps between rows included.
int64_t ElementsOfA(const MatMul& m) {
  return m.a_strides.empty() ? NumElements(m.a) : m.a[0] * m.a_strides[0];
}

Sum SumOf(const MatMul& m, const void* a, const void* b, int64_t row, int64_t column) {
  const int64_t matrix = row / m.rows();
  const int64_t r = row % m.rows();
  const bool is_dense = m.a_strides.empty();
  int64_t a_first = is_dense ? MatrixOf(m.a, m.out, matrix) * m.rows() * m.depth() : OfRow(m, row);
  if (is_dense) a_first += m.a_is_transposed ? r : r * m.depth();
  const int64_t b_first = MatrixOf(m.b, m.out, matrix) * m.depth() * m.columns();
  Sum sum;
  AddProducts({m.a_dtype, a, a_first, m.a_is_transposed ? m.rows() : 1, m.a_zero_point},
              {m.b_dtype, b, b_first + (m.b_is_transposed ? column * m.depth() : column),
               m.b_is_transposed ? 1 : m.columns(), m.b_zero_point},
              m.depth(), sum);
  return sum;
}

// Holds a sample of a trial's output against sum_of(row, channel).
template <typename SumOfElement>
Status Compare(TrialRun& trial, int64_t channels, int64_t depth, SumOfElement&& sum_of) {
  const std::vector<int64_t> chosen = SomeChannels(channels);
  const int64_t products = std::max<int64_t>(1, std::ssize(chosen) * depth);
  std::vector<Sum> sums(chosen.size());
  for (const int64_t row : Spread(trial.rows(), std::max(kFewestRows, kProducts / products))) {
    for (size_t i = 0; i < chosen.size(); ++i) sums[i] = sum_of(row, chosen[i]);
    TRY(trial.CompareRow(row, chosen, sums));
  }
  return Ok();
}

// Input, output and scratch.
bool IsTooLarge(const Shape& in, DType in_dtype, const Shape& out, DType out_dtype,
                const Kernel& kernel) {
  return NumBytes(in, in_dtype) + NumBytes(out, out_dtype) + kernel.scratch_bytes() > kMostBytes;
}

}  // namespace

Status TryOut(const Convolution& c, const Kernel& kernel) {
  Shape in = {c.batch, c.in_channels};
  in.insert(in.end(), c.in.begin(), c.in.end());
  Shape out = {c.batch};
  out.insert(out.end(), c.out.begin(), c.out.end());
  out.push_back(c.out_channels);
  if (IsTooLarge(in, c.in_dtype, out, c.out_dtype, kernel)) return Ok();
  TrialRun trial(c.epilogue, c.in_dtype, c.out_dtype, std::move(out), c.out_channels);
  ASSIGN_OR_RETURN(const void* image, trial.AddNumbers(0, c.in_dtype, NumElements(in)));
  TRY(trial.Run(kernel));
  const PlainConvolution plain(c, image);
  return Compare(trial, c.out_channels, plain.depth(),
                 [&](int64_t row, int64_t channel) { return plain.Of(row, channel); });
}

Status TryOut(const MatMul& m, const Kernel& kernel) {
  if (IsTooLarge(m.a, m.a_dtype, m.out, m.out_dtype, kernel)) return Ok();
  MatMul fixed = m;
  TrialRun trial(fixed.epilogue, m.a_dtype, m.out_dtype, m.out, m.columns());
  ASSIGN_OR_RETURN(const void* a, trial.AddNumbers(0, m.a_dtype, ElementsOfA(m)));
  const void* b = m.weights;
  if (b == nullptr) {
    ASSIGN_OR_RETURN(b, trial.AddNumbers(1, m.b_dtype, NumElements(m.b)));
  }
  if (m.a_scale_input >= 0) {
    ASSIGN_OR_RETURN(void* scale, trial.AddInput(m.a_scale_input, sizeof(float)));
    *static_cast<float*>(scale) = 0.5f;  // a power of two: multiplied in any order, the same bits
    for (float& s : fixed.epilogue.scales) s *= 0.5f;
  }
  if (m.a_zero_point_input >= 0) {
    ASSIGN_OR_RETURN(void* zero_point, trial.AddInput(m.a_zero_point_input, sizeof(int32_t)));
    fixed.a_zero_point = 3;
    *static_cast<int32_t*>(zero_point) = fixed.a_zero_point;
  }
  TRY(trial.Run(kernel));
  return Compare(trial, m.columns(), m.depth(),
                 [&](int64_t row, int64_t column) { return SumOf(fixed, a, b, row, column); });
}

}  // namespace intmill::onednn
