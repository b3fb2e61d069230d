// Runs the chosen kernel and the reference on the same operands and compares what they write.
#include "support/checked_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/memory.h"
#include "engine/reference_kernel.h"

namespace intmill::test {
namespace {

template <typename T>
void CompareIntegers(const T* a, const T* b, int64_t n, StepCheck& check) {
  for (int64_t i = 0; i < n; ++i) {
    if (a[i] == b[i]) continue;
    ++check.different;
    const double steps = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    check.worst = std::max(check.worst, steps);
  }
}

void CompareFloats(const float* a, const float* b, int64_t n, StepCheck& check) {
  double largest = 1e-6;
  double error = 0;
  for (int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::abs(double{b[i]}));
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    if (!same) error = std::max(error, std::abs(double{a[i]} - double{b[i]}));
  }
  check.worst = std::max(check.worst, error / largest);
}

void Compare(const Operand& operand, const void* a, const void* b, StepCheck& check) {
  const int64_t n = NumElements(operand.shape);
  check.values += n;
  switch (operand.dtype) {
    case DType::kF32:
      return CompareFloats(static_cast<const float*>(a), static_cast<const float*>(b), n, check);
    case DType::kU8:
      return CompareIntegers(static_cast<const uint8_t*>(a), static_cast<const uint8_t*>(b), n,
                             check);
    case DType::kS8:
      return CompareIntegers(static_cast<const int8_t*>(a), static_cast<const int8_t*>(b), n,
                             check);
    default:
      if (std::memcmp(a, b, static_cast<size_t>(NumBytes(operand.shape, operand.dtype))) != 0) {
        ++check.different;
        check.worst = INFINITY;
      }
  }
}

uint64_t Hash(const void* data, const Operand& operand) {
  const auto bytes = static_cast<size_t>(NumBytes(operand.shape, operand.dtype));
  return std::hash<std::string_view>()({static_cast<const char*>(data), bytes});
}

// The largest distance between the entries of two bytes one step apart.
double StepsOfTable(const LowerArgs& args) {
  const std::vector<PostOp>& ops = args.node.post_ops;
  if (ops.empty() || ops.back().kind != PostOp::Kind::kTable) return 1;
  const float* entries = ops.back().table.data<float>();
  const int low = ops.back().rounded->dtype == DType::kS8 ? -128 : 0;
  double most = 0;
  for (int q = low; q < low + 255; ++q) {
    const float a = entries[static_cast<uint8_t>(q)];
    const float b = entries[static_cast<uint8_t>(q + 1)];
    most = std::max(most, std::abs(double{a} - double{b}));
  }
  return std::max(1.0, std::ceil(most / args.out(0).qparams->scales[0]));
}

class CheckedKernel final : public Kernel {
 public:
  CheckedKernel(std::unique_ptr<Kernel> chosen, std::unique_ptr<Kernel> reference,
                std::vector<Operand> inputs, std::vector<Operand> outputs,
                std::vector<Tensor> constants, std::shared_ptr<const StepCheck> known,
                std::shared_ptr<StepCheck> check)
      : chosen_(std::move(chosen)),
        reference_(std::move(reference)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        constants_(std::move(constants)),
        known_(std::move(known)),
        check_(std::move(check)) {}

  std::string_view name() const override { return chosen_->name(); }
  int64_t scratch_bytes() const override {
    const int64_t chosen = chosen_->scratch_bytes();
    return reference_ == nullptr ? chosen : std::max(chosen, reference_->scratch_bytes());
  }
  Result<std::unique_ptr<KernelState>> MakeState() const override { return chosen_->MakeState(); }

  Status Run(const RunArgs& args, KernelState* state) const override {
    HashInputs(args);  // before the kernel runs: it may write over them
    TRY(chosen_->Run(args, state));
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (!outputs_[i].present) continue;
      check_->bits ^= Hash(args.outputs[i], outputs_[i]);
      check_->integers = outputs_[i].dtype != DType::kF32;
    }
    if (reference_ == nullptr) return Ok();
    if (known_ == nullptr || known_->read != check_->read || known_->bits != check_->bits)
      return CompareWithReference(args);
    *check_ = *known_;
    return Ok();
  }

 private:
  void HashInputs(const RunArgs& args) const {
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i].present && !constants_[i].valid())
        check_->read = check_->read * 31 + Hash(args.inputs[i], inputs_[i]);
  }

  Status CompareWithReference(const RunArgs& args) const {
    std::vector<const void*> inputs(args.inputs.begin(), args.inputs.end());
    for (size_t i = 0; i < inputs.size(); ++i)
      if (constants_[i].valid()) inputs[i] = constants_[i].data<void>();
    std::vector<AlignedBytes> memory;
    std::vector<void*> expected;
    for (const Operand& output : outputs_) {
      ASSIGN_OR_RETURN(AlignedBytes bytes, AllocateAligned(NumBytes(output.shape, output.dtype)));
      expected.push_back(bytes.get());
      memory.push_back(std::move(bytes));
    }
    TRY(reference_->Run({inputs, expected, args.scratch}, nullptr));
    for (size_t i = 0; i < outputs_.size(); ++i)
      if (outputs_[i].present) Compare(outputs_[i], args.outputs[i], expected[i], *check_);
    return Ok();
  }

  std::unique_ptr<Kernel> chosen_;
  std::unique_ptr<Kernel> reference_;
  std::vector<Operand> inputs_;
  std::vector<Operand> outputs_;
  std::vector<Tensor> constants_;
  std::shared_ptr<const StepCheck> known_;
  std::shared_ptr<StepCheck> check_;
};

}  // namespace

KernelHook Checks::Hook(const Checks* known) {
  return [this, known](const LowerArgs& args,
                       std::unique_ptr<Kernel> chosen) -> Result<std::unique_ptr<Kernel>> {
    std::unique_ptr<Kernel> reference;
    if (with_references_) {
      ASSIGN_OR_RETURN(reference, MakeReferenceKernel(args));
    }
    std::vector<Operand> inputs(args.inputs.begin(), args.inputs.end());
    std::vector<Operand> outputs(args.outputs.begin(), args.outputs.end());
    for (auto* operands : {&inputs, &outputs})
      for (Operand& operand : *operands) operand.qparams = nullptr;
    std::vector<Tensor> constants;
    for (const Operand& input : args.inputs)
      constants.push_back(input.constant != nullptr ? *input.constant : Tensor());
    std::shared_ptr<const StepCheck> before;
    if (known != nullptr && known->steps_.size() > steps_.size())
      before = known->steps_[steps_.size()];
    auto check = std::make_shared<StepCheck>();
    check->layer = args.node.name;
    check->op = args.node.op->name;
    check->kernel = chosen->name();
    check->table_steps = StepsOfTable(args);
    steps_.push_back(check);
    return MakeKernel<CheckedKernel>(std::move(chosen), std::move(reference), std::move(inputs),
                                     std::move(outputs), std::move(constants), std::move(before),
                                     std::move(check));
  };
}

}  // namespace intmill::test
