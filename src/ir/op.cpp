// Looking operators up, and what shape inference sees of a node.
#include "ir/op.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace intmill {
namespace {

auto KeyOf(const OpDef* op) { return std::tuple(op->domain, op->name); }

std::vector<const OpDef*> SortedOps() {
  const std::span<const OpDef* const> all = AllOps();
  std::vector<const OpDef*> sorted(all.begin(), all.end());
  std::ranges::sort(sorted, {}, KeyOf);
  return sorted;
}

}  // namespace

const OpDef* FindOp(std::string_view name, std::string_view domain) {
  static const std::vector<const OpDef*> sorted = SortedOps();
  const auto wanted = std::tuple(domain, name);
  const auto found = std::ranges::lower_bound(sorted, wanted, {}, KeyOf);
  return found != sorted.end() && KeyOf(*found) == wanted ? *found : nullptr;
}

bool InferContext::has_input(int64_t i) const {
  return i >= 0 && i < input_count() && node_.inputs[static_cast<size_t>(i)] != kNoValue;
}

DType InferContext::dtype(int64_t i) const {
  return has_input(i) ? graph_.value(node_.inputs[static_cast<size_t>(i)]).dtype : DType::kNone;
}

const Shape* InferContext::shape(int64_t i) const {
  if (!has_input(i)) return nullptr;
  const std::optional<Shape>& shape = graph_.value(node_.inputs[static_cast<size_t>(i)]).shape;
  return shape ? &*shape : nullptr;
}

const Tensor* InferContext::constant(int64_t i) const {
  return has_input(i) ? graph_.ConstantOf(node_.inputs[static_cast<size_t>(i)]) : nullptr;
}

void InferContext::SetOutput(int64_t i, DType dtype, std::optional<Shape> shape) {
  if (i < 0 || i >= static_cast<int64_t>(outputs_.size())) return;
  outputs_[static_cast<size_t>(i)].dtype = dtype;
  outputs_[static_cast<size_t>(i)].shape = std::move(shape);
}

}  // namespace intmill
