// A kernel's trial: made-up inputs, one run, and a sample of the output in plain loops.
#include "kernels/onednn/trial.h"

#include <algorithm>
#include <cmath>

#include "base/memory.h"
#include "kernels/native/epilogue_row.h"
#include "kernels/native/triple.h"

namespace intmill::onednn {
namespace {

using native::ToTriple;
using native::Triple;

constexpr int64_t kProducts = 1 << 18;  // about this many multiplications a trial
constexpr int64_t kFewestRows = 4;

// Random numbers over the whole range of their type, as large as any that a scale was chosen for.
class MadeUp {
 public:
  void Fill(DType dtype, int64_t n, void* out) {
    for (int64_t i = 0; i < n; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      const auto byte = static_cast<uint8_t>(state_ >> 56);
      if (dtype == DType::kF32) {
        static_cast<float*>(out)[i] = (static_cast<float>(byte) - 127.5f) / 64;
      } else {
        static_cast<uint8_t*>(out)[i] = byte;
      }
    }
  }

 private:
  uint64_t state_ = 7;
};

double ElementOf(DType dtype, const void* data, int64_t i) {
  if (dtype == DType::kF32) return static_cast<double>(static_cast<const float*>(data)[i]);
  if (dtype == DType::kU8) return static_cast<const uint8_t*>(data)[i];
  return static_cast<const int8_t*>(data)[i];
}

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
  std::ranges::sort(chosen);
  const auto repeated = std::ranges::unique(chosen);
  chosen.erase(repeated.begin(), repeated.end());
  return chosen;
}

// A sum of products, and the sum of their sizes, which bounds what another order can change.
struct Sum {
  double value = 0;
  double size = 0;
  void Add(double product) {
    value += product;
    size += std::abs(product);
  }
};

// What a kernel reads and writes. The output has rows of channels.
class Trial {
 public:
  Trial(const Epilogue& epilogue, DType in_dtype, DType out_dtype, Shape out, int64_t channels)
      : epilogue_(epilogue),
        is_integer_(in_dtype != DType::kF32),
        out_dtype_(out_dtype),
        out_(std::move(out)),
        channels_(channels),
        rows_(NumElements(out_) / channels) {}

  int64_t rows() const { return rows_; }

  Result<void*> AddInput(int64_t index, int64_t bytes) {
    ASSIGN_OR_RETURN(AlignedBytes memory, AllocateAligned(bytes));
    const auto i = static_cast<size_t>(index);
    if (inputs_.size() <= i) inputs_.resize(i + 1);
    inputs_[i] = memory.get();
    memory_.push_back(std::move(memory));
    return const_cast<void*>(inputs_[i]);
  }

  Result<const void*> AddNumbers(int64_t index, DType dtype, int64_t n) {
    ASSIGN_OR_RETURN(void* data, AddInput(index, n * BitsOf(dtype) / 8));
    made_up_.Fill(dtype, n, data);
    return data;
  }

  Status Run(const Kernel& kernel) {
    TRY(AddOperands());
    const int64_t bytes = NumBytes(out_, out_dtype_);
    ASSIGN_OR_RETURN(found_, AllocateAligned(bytes));
    ASSIGN_OR_RETURN(wanted_, AllocateAligned(bytes));
    ASSIGN_OR_RETURN(const AlignedBytes scratch, AllocateAligned(kernel.scratch_bytes()));
    ASSIGN_OR_RETURN(const std::unique_ptr<KernelState> state, kernel.MakeState());
    void* const output = found_.get();
    return kernel.Run({.inputs = inputs_, .outputs = {&output, 1}, .scratch = scratch.get()},
                      state.get());
  }

  // sums[i]: of channel chosen[i] of an output row.
  Status CompareRow(int64_t row, const std::vector<int64_t>& chosen, const std::vector<Sum>& sums) {
    std::vector<int32_t> integers(static_cast<size_t>(channels_));
    std::vector<float> line(static_cast<size_t>(channels_));
    for (size_t i = 0; i < chosen.size(); ++i) {
      integers[static_cast<size_t>(chosen[i])] = static_cast<int32_t>(sums[i].value);
      line[static_cast<size_t>(chosen[i])] = static_cast<float>(sums[i].value);
    }
    void* const output = wanted_.get();
    const RunArgs args{.inputs = operands_, .outputs = {&output, 1}};
    const int64_t offset = row * channels_;
    if (is_integer_) {
      native::FinishRow(plain_, out_dtype_, integers.data(), channels_, args, offset, line.data());
    } else {
      native::FinishReals(plain_, out_dtype_, channels_, args, offset, line.data());
    }
    for (size_t i = 0; i < chosen.size(); ++i) {
      const double found = ElementOf(out_dtype_, found_.get(), offset + chosen[i]);
      const double wanted = ElementOf(out_dtype_, wanted_.get(), offset + chosen[i]);
      if (found == wanted || std::abs(found - wanted) <= Tolerance(wanted, sums[i])) continue;
      return Error(Code::kUnsupported, "oneDNN's code for it is wrong on this machine: row ", row,
                   ", channel ", chosen[i], " is ", found, ", wanted ", wanted);
    }
    return Ok();
  }

 private:
  // Integers are exact unless a step is a function that oneDNN approximates: then the last bit of a
  // float, or a step of the output, may differ. A sum of n floats in another order differs by at
  // most n * 2^-24 of the sum of sizes.
  double Tolerance(double wanted, const Sum& sum) const {
    const bool is_exact = is_integer_ && std::ranges::all_of(epilogue_.steps, [](const auto& step) {
                            using Kind = EpilogueStep::Kind;
                            return step.kind == Kind::kAdd || step.kind == Kind::kClip ||
                                   step.kind == Kind::kLeakyRelu;
                          });
    if (is_exact) return 0;
    if (out_dtype_ != DType::kF32) return 1;
    constexpr double kRelative = 1e-4;
    return kRelative * ((is_integer_ ? 0 : sum.size) + std::abs(wanted) + 1);
  }

  // What the epilogue adds. Stretched operands hold one number, so that plain loops may read them
  // as if they lay like the output.
  Status AddOperands() {
    plain_ = epilogue_;
    for (EpilogueStep& step : plain_.steps) {
      if (step.kind != EpilogueStep::Kind::kAdd) continue;
      const bool is_stretched = !step.shape.empty();
      const int64_t n = NumElements(is_stretched ? step.shape : out_);
      ASSIGN_OR_RETURN(void* data, AddInput(step.input, n * BitsOf(step.dtype) / 8));
      if (!is_stretched) {
        made_up_.Fill(step.dtype, n, data);
        continue;
      }
      FillEqual(step.dtype, n, data);
      step.shape.clear();
      stretched_.push_back({step.input, step.dtype});
    }
    operands_ = inputs_;
    for (const auto& [index, dtype] : stretched_) {
      ASSIGN_OR_RETURN(AlignedBytes whole, AllocateAligned(NumBytes(out_, dtype)));
      FillEqual(dtype, NumElements(out_), whole.get());
      operands_[static_cast<size_t>(index)] = whole.get();
      memory_.push_back(std::move(whole));
    }
    return Ok();
  }

  static void FillEqual(DType dtype, int64_t n, void* data) {
    constexpr int8_t kNumber = 3;
    if (dtype == DType::kF32) {
      std::fill_n(static_cast<float*>(data), n, float{kNumber});
    } else {
      std::fill_n(static_cast<int8_t*>(data), n, kNumber);
    }
  }

  const Epilogue& epilogue_;
  const bool is_integer_;
  const DType out_dtype_;
  const Shape out_;
  const int64_t channels_;
  const int64_t rows_;
  MadeUp made_up_;
  std::vector<AlignedBytes> memory_;
  std::vector<const void*> inputs_;
  std::vector<const void*> operands_;  // inputs_ as plain loops read them
  std::vector<std::pair<int64_t, DType>> stretched_;
  Epilogue plain_;
  AlignedBytes found_;
  AlignedBytes wanted_;
};

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
      for (int64_t i = 0; i < ins; ++i) {
        const int64_t w = c_.transposed ? ((group * ins + i) * outs + channel % outs) * taps_ + tap
                                        : (channel * ins + i) * taps_ + tap;
        sum.Add((ElementOf(c_.in_dtype, image_, x + i) - c_.in_zero_point) *
                ElementOf(c_.weight_dtype, c_.weights, w));
      }
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

Sum SumOf(const MatMul& m, const void* a, const void* b, int64_t row, int64_t column) {
  const int64_t matrix = row / m.rows();
  const int64_t r = row % m.rows();
  const int64_t a_first = MatrixOf(m.a, m.out, matrix) * m.rows() * m.depth();
  const int64_t b_first = MatrixOf(m.b, m.out, matrix) * m.depth() * m.columns();
  Sum sum;
  for (int64_t k = 0; k < m.depth(); ++k) {
    const int64_t at_a = a_first + (m.a_is_transposed ? k * m.rows() + r : r * m.depth() + k);
    const int64_t at_b =
        b_first + (m.b_is_transposed ? column * m.depth() + k : k * m.columns() + column);
    sum.Add((ElementOf(m.a_dtype, a, at_a) - m.a_zero_point) *
            (ElementOf(m.b_dtype, b, at_b) - m.b_zero_point));
  }
  return sum;
}

// Holds a sample of a trial's output against sum_of(row, channel).
template <typename SumOfElement>
Status Compare(Trial& trial, int64_t channels, int64_t depth, SumOfElement&& sum_of) {
  const std::vector<int64_t> chosen = SomeChannels(channels);
  const int64_t products = std::max<int64_t>(1, std::ssize(chosen) * depth);
  std::vector<Sum> sums(chosen.size());
  for (const int64_t row : Spread(trial.rows(), std::max(kFewestRows, kProducts / products))) {
    for (size_t i = 0; i < chosen.size(); ++i) sums[i] = sum_of(row, chosen[i]);
    TRY(trial.CompareRow(row, chosen, sums));
  }
  return Ok();
}

}  // namespace

Status TryOut(const Convolution& c, const Kernel& kernel) {
  Shape out = {c.batch};
  out.insert(out.end(), c.out.begin(), c.out.end());
  out.push_back(c.out_channels);
  Trial trial(c.epilogue, c.in_dtype, c.out_dtype, std::move(out), c.out_channels);
  int64_t pixels = c.batch;
  for (const int64_t d : c.in) pixels *= d;
  ASSIGN_OR_RETURN(const void* image, trial.AddNumbers(0, c.in_dtype, pixels * c.in_channels));
  TRY(trial.Run(kernel));
  const PlainConvolution plain(c, image);
  return Compare(trial, c.out_channels, plain.depth(),
                 [&](int64_t row, int64_t channel) { return plain.Of(row, channel); });
}

Status TryOut(const MatMul& m, const Kernel& kernel) {
  MatMul fixed = m;
  Trial trial(fixed.epilogue, m.a_dtype, m.out_dtype, m.out, m.columns());
  ASSIGN_OR_RETURN(const void* a, trial.AddNumbers(0, m.a_dtype, NumElements(m.a)));
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
