// One run of a kernel on made-up numbers, and the comparison of its output with what plain loops
// say.
#include "kernels/onednn/trial_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/native/epilogue_row.h"
#include "tensor/half.h"

namespace intmill::onednn {
namespace {

void FillEqual(DType dtype, int64_t n, void* data) {
  constexpr int8_t kNumber = 3;
  if (dtype == DType::kF32) {
    std::fill_n(static_cast<float*>(data), n, float{kNumber});
  } else {
    std::fill_n(static_cast<int8_t*>(data), n, kNumber);
  }
}

template <typename A, typename B>
void Add(const Line& a, const Line& b, int64_t n, Sum& sum) {
  const A* const x = static_cast<const A*>(a.data) + a.first;
  const B* const w = static_cast<const B*>(b.data) + b.first;
  int64_t total = 0;
  for (int64_t i = 0; i < n; ++i)
    total += (x[i * a.stride] - a.zero_point) * (w[i * b.stride] - b.zero_point);
  sum.value += static_cast<double>(total);
}

double ToDouble(float x) { return static_cast<double>(x); }
double ToDouble(uint16_t bf16) { return static_cast<double>(Bf16ToFloat(bf16)); }

template <typename T>
void AddFloats(const Line& a, const Line& b, int64_t n, Sum& sum) {
  const T* const x = static_cast<const T*>(a.data) + a.first;
  const T* const w = static_cast<const T*>(b.data) + b.first;
  for (int64_t i = 0; i < n; ++i) {
    const double product = ToDouble(x[i * a.stride]) * ToDouble(w[i * b.stride]);
    sum.value += product;
    sum.size += std::abs(product);
  }
}

double ElementOf(DType dtype, const void* data, int64_t i) {
  if (dtype == DType::kF32) return ToDouble(static_cast<const float*>(data)[i]);
  if (dtype == DType::kBf16) return ToDouble(static_cast<const uint16_t*>(data)[i]);
  if (dtype == DType::kU8) return static_cast<const uint8_t*>(data)[i];
  return static_cast<const int8_t*>(data)[i];
}

}  // namespace

void MadeUp::Fill(DType dtype, int64_t n, void* out) {
  // One block again and again: making numbers would take longer than using them. A prime number of
  // them is no multiple of any channel count.
  constexpr int64_t kBlock = 4093;
  const int64_t element_bytes = BitsOf(dtype) / 8;
  for (int64_t i = 0; i < std::min(n, kBlock); ++i) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const auto byte = static_cast<uint8_t>(state_ >> 56);
    const float number = (static_cast<float>(byte) - 127.5f) / 64;
    if (dtype == DType::kF32) {
      static_cast<float*>(out)[i] = number;
    } else if (dtype == DType::kBf16) {
      static_cast<uint16_t*>(out)[i] = FloatToBf16(number);
    } else {
      static_cast<uint8_t*>(out)[i] = byte;
    }
  }
  auto* const bytes = static_cast<std::byte*>(out);
  for (int64_t i = kBlock; i < n; i += kBlock)
    std::memcpy(bytes + i * element_bytes, bytes,
                static_cast<size_t>(std::min(kBlock, n - i) * element_bytes));
}

void AddProducts(const Line& a, const Line& b, int64_t n, Sum& sum) {
  if (a.dtype == DType::kF32) return AddFloats<float>(a, b, n, sum);
  if (a.dtype == DType::kBf16) return AddFloats<uint16_t>(a, b, n, sum);
  if (a.dtype == DType::kU8 && b.dtype == DType::kU8) return Add<uint8_t, uint8_t>(a, b, n, sum);
  if (a.dtype == DType::kU8) return Add<uint8_t, int8_t>(a, b, n, sum);
  if (b.dtype == DType::kU8) return Add<int8_t, uint8_t>(a, b, n, sum);
  Add<int8_t, int8_t>(a, b, n, sum);
}

TrialRun::TrialRun(const Epilogue& epilogue, DType in_dtype, DType out_dtype, Shape out,
                   int64_t channels)
    : epilogue_(epilogue),
      is_integer_(IsQuantized8(in_dtype)),
      out_dtype_(out_dtype),
      out_(std::move(out)),
      channels_(channels),
      rows_(NumElements(out_) / channels) {}

Result<void*> TrialRun::AddInput(int64_t index, int64_t bytes) {
  ASSIGN_OR_RETURN(AlignedBytes memory, AllocateAligned(bytes));
  const auto i = static_cast<size_t>(index);
  if (inputs_.size() <= i) inputs_.resize(i + 1);
  inputs_[i] = memory.get();
  memory_.push_back(std::move(memory));
  return const_cast<void*>(inputs_[i]);
}

Result<const void*> TrialRun::AddNumbers(int64_t index, DType dtype, int64_t n) {
  ASSIGN_OR_RETURN(void* data, AddInput(index, n * BitsOf(dtype) / 8));
  made_up_.Fill(dtype, n, data);
  return data;
}

Status TrialRun::Run(const Kernel& kernel) {
  TRY(AddOperands());
  const int64_t bytes = NumBytes(out_, out_dtype_);
  ASSIGN_OR_RETURN(found_, AllocateAligned(bytes));
  ASSIGN_OR_RETURN(const AlignedBytes scratch, AllocateAligned(kernel.scratch_bytes()));
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelState> state, kernel.MakeState());
  void* const output = found_.get();
  return kernel.Run({.inputs = inputs_, .outputs = {&output, 1}, .scratch = scratch.get()},
                    state.get());
}

Status TrialRun::CompareRow(int64_t row, const std::vector<int64_t>& chosen,
                            const std::vector<Sum>& sums) {
  std::vector<int32_t> integers(static_cast<size_t>(channels_));
  std::vector<float> line(static_cast<size_t>(channels_));
  for (size_t i = 0; i < chosen.size(); ++i) {
    integers[static_cast<size_t>(chosen[i])] = static_cast<int32_t>(sums[i].value);
    line[static_cast<size_t>(chosen[i])] = static_cast<float>(sums[i].value);
  }
  std::vector<float> wanted_row(static_cast<size_t>(channels_));  // room for any type
  void* const output = wanted_row.data();
  const std::vector<const void*> operands = OperandsOfRow(row);
  const RunArgs args{.inputs = operands, .outputs = {&output, 1}};
  if (is_integer_) {
    native::FinishRow(plain_, out_dtype_, integers.data(), channels_, args, 0, line.data());
  } else {
    native::FinishReals(plain_, DType::kF32, channels_, args, 0, line.data());
  }
  const DType wanted_dtype = is_integer_ ? out_dtype_ : DType::kF32;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const double found = ElementOf(out_dtype_, found_.get(), row * channels_ + chosen[i]);
    const double wanted = ElementOf(wanted_dtype, output, chosen[i]);
    if (found == wanted || std::abs(found - wanted) <= Tolerance(wanted, sums[i])) continue;
    return Error(Code::kUnsupported, "oneDNN's code for it is wrong on this machine: row ", row,
                 ", channel ", chosen[i], " is ", found, ", wanted ", wanted);
  }
  return Ok();
}

// Integers are exact unless a step is a function that oneDNN approximates: then the last bit of a
// float, or a step of the output, may differ. A sum of n floats in another order differs by at
// most n * 2^-24 of the sum of sizes.
double TrialRun::Tolerance(double wanted, const Sum& sum) const {
  const bool is_exact =
      is_integer_ && std::ranges::all_of(epilogue_.steps, [](const auto& step) {
        using Kind = EpilogueStep::Kind;
        return step.kind == Kind::kAdd || step.kind == Kind::kClip || step.kind == Kind::kLeakyRelu;
      });
  if (is_exact) return 0;
  if (IsQuantized8(out_dtype_)) return 1;
  constexpr double kRelative = 1e-4;
  constexpr double kHalfStepOfBf16 = 0x1p-8;
  const double rounding = out_dtype_ == DType::kBf16 ? kHalfStepOfBf16 * std::abs(wanted) : 0;
  return rounding + kRelative * ((is_integer_ ? 0 : sum.size) + std::abs(wanted) + 1);
}

// What the epilogue adds. Stretched operands hold one number, so that plain loops may read a row of
// it wherever they are.
Status TrialRun::AddOperands() {
  plain_ = epilogue_;
  for (EpilogueStep& step : plain_.steps) {
    AlignedBytes& stretched = stretched_rows_.emplace_back();
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
    ASSIGN_OR_RETURN(stretched, AllocateAligned(channels_ * BitsOf(step.dtype) / 8));
    FillEqual(step.dtype, channels_, stretched.get());
  }
  return Ok();
}

std::vector<const void*> TrialRun::OperandsOfRow(int64_t row) const {
  std::vector<const void*> operands = inputs_;
  for (size_t i = 0; i < plain_.steps.size(); ++i) {
    const EpilogueStep& step = plain_.steps[i];
    if (step.kind != EpilogueStep::Kind::kAdd) continue;
    const void*& operand = operands[static_cast<size_t>(step.input)];
    operand = stretched_rows_[i] != nullptr ? stretched_rows_[i].get()
                                            : static_cast<const std::byte*>(operand) +
                                                  row * channels_ * BitsOf(step.dtype) / 8;
  }
  return operands;
}

}  // namespace intmill::onednn
