// One run of a kernel on made-up numbers, and the comparison of its output with what plain loops
// say.
#include "kernels/onednn/trial_run.h"

#include <algorithm>

#include "kernels/native/epilogue_row.h"

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

}  // namespace

void MadeUp::Fill(DType dtype, int64_t n, void* out) {
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

double ElementOf(DType dtype, const void* data, int64_t i) {
  if (dtype == DType::kF32) return static_cast<double>(static_cast<const float*>(data)[i]);
  if (dtype == DType::kU8) return static_cast<const uint8_t*>(data)[i];
  return static_cast<const int8_t*>(data)[i];
}

TrialRun::TrialRun(const Epilogue& epilogue, DType in_dtype, DType out_dtype, Shape out,
                   int64_t channels)
    : epilogue_(epilogue),
      is_integer_(in_dtype != DType::kF32),
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
  ASSIGN_OR_RETURN(wanted_, AllocateAligned(bytes));
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
  if (out_dtype_ != DType::kF32) return 1;
  constexpr double kRelative = 1e-4;
  return kRelative * ((is_integer_ ? 0 : sum.size) + std::abs(wanted) + 1);
}

// What the epilogue adds. Stretched operands hold one number, so that plain loops may read them
// as if they lay like the output.
Status TrialRun::AddOperands() {
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

}  // namespace intmill::onednn
