// Operator cases whose integers an attacker chose: each must end in a result or in an error.
#include "ops/hostile.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ir/infer.h"
#include "ops/harness.h"
#include "ops/run_kernel.h"

namespace intmill::test {
namespace {

constexpr int64_t kLow = std::numeric_limits<int64_t>::min();
constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();
constexpr int64_t kIntegers[] = {kLow, kLow + 1,         -(int64_t{1} << 32), -2,   -1, 0, 1, 2,
                                 7,    int64_t{1} << 31, int64_t{1} << 62,    kHigh};
constexpr float kFloats[] = {0.0f, -1.0f, 1e-40f, 3e38f, INFINITY, -INFINITY, NAN};
constexpr int64_t kMaxBytes = int64_t{1} << 26;

using Visit = std::function<void(const OpCase&)>;

// The engine gives steps without elements to the reference.
bool AnyIsEmpty(const std::vector<Tensor>& tensors) {
  return std::ranges::any_of(tensors,
                             [](const Tensor& t) { return t.valid() && t.elements() == 0; });
}

// Whatever comes out; a Status is as good as a result.
void Run(const OpCase& c) {
  Result<BuiltCase> built = Build(c, KnownShapes::kAll);
  if (!built.ok() || !VerifyGraph(built->graph).ok()) return;
  if (!InferNode(built->graph, built->node()).ok()) return;
  std::vector<const Tensor*> inputs;
  for (const Tensor& input : built->inputs) inputs.push_back(input.valid() ? &input : nullptr);
  const auto outputs = EvaluateNode(built->graph, built->node(), inputs, kMaxBytes);
  if (!outputs.ok() || AnyIsEmpty(built->inputs) || AnyIsEmpty(*outputs)) return;
  const KernelCase k{.node = &built->node(),
                     .inputs = built->inputs,
                     .constant = built->constant,
                     .outputs = *outputs};
  for (const OperandLayouts& layouts :
       AllowedLayouts(built->node(), k.inputs, k.constant, k.outputs))
    (void)RunKernel(k, layouts, DetectIsa()).ok();
}

void ForAttributes(const OpCase& c, const Visit& visit) {
  const auto with = [&](const std::string& name, Attribute value) {
    OpCase variant = c;
    variant.attrs.Set(name, std::move(value));
    visit(variant);
  };
  for (const auto& [name, attribute] : c.attrs.all()) {
    if (std::holds_alternative<int64_t>(attribute))
      for (const int64_t bad : kIntegers) with(name, bad);
    if (std::holds_alternative<float>(attribute))
      for (const float bad : kFloats) with(name, bad);
    if (const auto* list = std::get_if<std::vector<int64_t>>(&attribute)) {
      for (size_t i = 0; i < list->size(); ++i) {
        for (const int64_t bad : kIntegers) {
          std::vector<int64_t> changed = *list;
          changed[i] = bad;
          with(name, changed);
        }
      }
      with(name, std::vector<int64_t>());
      with(name, std::vector<int64_t>(40, 1));
    }
    with(name, std::string("other"));
    with(name, int64_t{3});
  }
}

template <typename T, typename Bad>
void ForValues(const OpCase& c, size_t input, const Bad& values, const Visit& visit) {
  constexpr int64_t kMost = 8;  // elements changed one by one
  const Tensor& tensor = c.inputs[input].tensor;
  for (int64_t i = 0; i < std::min(tensor.elements(), kMost); ++i) {
    for (const auto bad : values) {
      OpCase variant = c;
      Result<Tensor> copy = Tensor::Make(tensor.dtype(), tensor.shape());
      if (!copy.ok()) return;
      std::copy_n(tensor.data<T>(), tensor.elements(), copy->template mutable_data<T>());
      copy->template mutable_data<T>()[i] = static_cast<T>(bad);
      variant.inputs[input].tensor = *copy;
      visit(variant);
    }
  }
}

// Other element types, shapes and ranks than the operator expects, and no input at all.
void ForShapes(const OpCase& c, size_t input, const Visit& visit) {
  const DType dtype = c.inputs[input].tensor.dtype();
  const Shape shapes[] = {{},     {0},       {1},          {5},
                          {2, 3}, {0, 3, 1}, {1, 2, 3, 4}, {1, 1, 1, 1, 1, 1, 1}};
  for (const DType type : {dtype, DType::kF32, DType::kS64, DType::kU8, DType::kBool}) {
    for (const Shape& shape : shapes) {
      OpCase variant = c;
      Result<Tensor> tensor = Tensor::Make(type, shape);
      if (!tensor.ok()) return;
      variant.inputs[input].tensor = *tensor;
      visit(variant);
    }
  }
  OpCase variant = c;
  variant.inputs[input] = {};
  visit(variant);
}

void ForInputs(const OpCase& c, const Visit& visit) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.inputs[i].present) continue;
    const DType dtype = c.inputs[i].tensor.dtype();
    if (dtype == DType::kS64) ForValues<int64_t>(c, i, kIntegers, visit);
    if (dtype == DType::kS32) ForValues<int32_t>(c, i, kIntegers, visit);
    if (dtype == DType::kF32 && c.inputs[i].constant) ForValues<float>(c, i, kFloats, visit);
    ForShapes(c, i, visit);
  }
}

}  // namespace

int64_t RunHostileVariants(const OpCase& c) {
  int64_t count = 0;
  const Visit visit = [&](const OpCase& variant) {
    ++count;
    Run(variant);
  };
  ForAttributes(c, visit);
  ForInputs(c, visit);
  return count;
}

}  // namespace intmill::test
