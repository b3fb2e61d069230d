// fold_shapes: arithmetic on shapes where some dimensions are known only at run time. Each element
// of a small tensor is known or not; what is known is computed, so that Shape -> Gather -> Concat
// -> Reshape is resolved for all but the batch. This file names Reshape, which can take "the rest"
// for the one dimension that stays unknown.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/pass.h"

namespace intmill {
namespace {

// Shapes and what is computed from them; anything larger is data.
constexpr int64_t kMaxElements = 1024;
constexpr int64_t kMaxBytes = kMaxElements * 8;

// A tensor of which some elements are not known: those hold 1, which every operator bears.
struct Partial {
  Tensor values;
  Tensor unknown;  // u8, as many elements; 0 where the value is known

  bool AllKnown() const {
    return std::ranges::all_of(unknown.values<uint8_t>(), [](uint8_t u) { return u == 0; });
  }
};

bool IsSmall(const Tensor& t) { return t.elements() <= kMaxElements; }

Result<Partial> Known(const Tensor& constant) {
  ASSIGN_OR_RETURN(Tensor none, Tensor::Make(DType::kU8, constant.shape()));
  return Partial{constant, std::move(none)};
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), partials_(graph.values.size()) {}

  Result<int64_t> Run() {
    int64_t changes = 0;
    std::vector<Node> kept;
    kept.reserve(graph_.nodes.size());
    for (Node& node : graph_.nodes) {
      if (changes > 0) TRY(InferNode(graph_, node));
      ASSIGN_OR_RETURN(const bool computed, Compute(node));
      if (computed) {
        ++changes;
        continue;
      }
      ASSIGN_OR_RETURN(const bool resolved, ResolveReshape(node));
      if (resolved) ++changes;
      kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    return changes;
  }

 private:
  // Nothing when the value is not a small tensor that is known in part.
  std::optional<Partial> Find(ValueId id) const {
    if (const Tensor* constant = graph_.ConstantOf(id)) {
      if (!IsSmall(*constant) || BitsOf(constant->dtype()) < 8) return {};
      Result<Partial> known = Known(*constant);
      return known.ok() ? std::optional<Partial>(*std::move(known)) : std::nullopt;
    }
    return static_cast<size_t>(id) < partials_.size() ? partials_[static_cast<size_t>(id)]
                                                      : std::nullopt;
  }

  // Those are for fold_constants, which has limits.
  bool HasOnlyConstants(const Node& node) const {
    return std::ranges::all_of(node.inputs, [&](ValueId id) {
      return id == kNoValue || graph_.ConstantOf(id) != nullptr;
    });
  }

  // True when the output became a constant.
  Result<bool> Compute(const Node& node) {
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || node.inputs.empty() ||
        node.op->reference == nullptr || HasOnlyConstants(node))
      return false;
    std::optional<Partial> out = node.op->Has(kShapeOnly)     ? OfShape(node)
                                 : node.op->Has(kMovesData)   ? OfMoved(node)
                                 : node.op->Has(kElementwise) ? OfElements(node)
                                                              : std::nullopt;
    if (!out || !IsSmall(out->values)) return false;
    Value& value = graph_.value(node.outputs[0]);
    if (!out->AllKnown()) {
      partials_[static_cast<size_t>(node.outputs[0])] = std::move(out);
      return false;
    }
    value.dtype = out->values.dtype();
    value.shape = out->values.shape();
    value.constant = std::move(out->values);
    return true;
  }

  // The output for these inputs; nothing when the operator refuses them.
  std::optional<Tensor> Evaluate(const Node& node, const std::vector<const Tensor*>& inputs) const {
    Result<std::vector<Tensor>> outputs = EvaluateNode(graph_, node, inputs, kMaxBytes);
    if (!outputs.ok() || outputs->size() != 1) return {};
    return std::move(outputs->front());
  }

  // Evaluated twice: with unknown dimensions as 1, and with known ones as 0 and unknown ones as 1,
  // which gives the mask. Nothing is read but the shape.
  std::optional<Partial> OfShape(const Node& node) const {
    const Value& in = graph_.value(node.inputs[0]);
    if (!in.shape || !IsKnown(in.dtype)) return {};
    Shape dims = *in.shape;
    Shape mask = *in.shape;
    for (size_t i = 0; i < dims.size(); ++i) {
      mask[i] = dims[i] == kDynamic ? 1 : 0;
      dims[i] = dims[i] == kDynamic ? 1 : dims[i];
    }
    const Tensor with_dims = Tensor::View(in.dtype, dims, nullptr, nullptr);
    const Tensor with_mask = Tensor::View(in.dtype, mask, nullptr, nullptr);
    const std::optional<Tensor> values = Evaluate(node, {&with_dims});
    const std::optional<Tensor> is_unknown = Evaluate(node, {&with_mask});
    if (!values || !is_unknown || values->rank() != 1) return {};
    const Result<std::vector<int64_t>> flags = ToInts(*is_unknown);
    Result<Partial> out = Known(*values);
    if (!flags.ok() || !out.ok()) return {};
    for (size_t i = 0; i < flags->size(); ++i)
      out->unknown.mutable_data<uint8_t>()[i] = (*flags)[i] != 0 ? 1 : 0;
    return *std::move(out);
  }

  // An operator that moves elements moves the marks of unknown ones alike.
  std::optional<Partial> OfMoved(const Node& node) const {
    std::vector<Partial> parts;
    parts.reserve(node.inputs.size());
    std::vector<const Tensor*> values;
    std::vector<const Tensor*> masks;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      values.push_back(nullptr);
      masks.push_back(nullptr);
      if (node.inputs[i] == kNoValue) continue;
      std::optional<Partial> part = Find(node.inputs[i]);
      if (!part) return {};
      const bool is_data = i >= 64 || (node.op->same_scale_inputs >> i & 1) != 0;
      if (!is_data && !part->AllKnown()) return {};
      parts.push_back(*std::move(part));
      values.back() = &parts.back().values;
      masks.back() = is_data ? &parts.back().unknown : &parts.back().values;
    }
    std::optional<Tensor> out = Evaluate(node, values);
    std::optional<Tensor> mask = Evaluate(node, masks);
    if (!out || !mask || mask->dtype() != DType::kU8) return {};
    return Partial{*std::move(out), *std::move(mask)};
  }

  // An element is known when all that it depends on is. Tensors of rank 0 and 1 only, where
  // broadcasting means that one element serves all.
  std::optional<Partial> OfElements(const Node& node) const {
    std::vector<Partial> parts;
    parts.reserve(node.inputs.size());
    std::vector<const Tensor*> values;
    for (const ValueId id : node.inputs) {
      values.push_back(nullptr);
      if (id == kNoValue) continue;
      std::optional<Partial> part = Find(id);
      if (!part || part->values.rank() > 1) return {};
      parts.push_back(*std::move(part));
      values.back() = &parts.back().values;
    }
    std::optional<Tensor> out = Evaluate(node, values);
    if (!out || out->rank() > 1 || BitsOf(out->dtype()) < 8) return {};
    Result<Partial> result = Known(*out);
    if (!result.ok()) return {};
    for (int64_t i = 0; i < out->elements(); ++i)
      for (const Partial& part : parts)
        if (part.unknown.data<uint8_t>()[part.unknown.elements() == 1 ? 0 : i] != 0)
          result->unknown.mutable_data<uint8_t>()[i] = 1;
    return *std::move(result);
  }

  // One unknown dimension among known ones is what is left of the elements.
  Result<bool> ResolveReshape(Node& node) {
    if (node.op->name != "Reshape" || !node.op->domain.empty() || node.inputs.size() != 2 ||
        graph_.ConstantOf(node.inputs[1]) != nullptr)
      return false;
    const std::optional<Partial> wanted = Find(node.inputs[1]);
    if (!wanted || wanted->values.dtype() != DType::kS64) return false;
    std::vector<int64_t> dims(wanted->values.values<int64_t>().begin(),
                              wanted->values.values<int64_t>().end());
    int64_t unknown = 0;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (wanted->unknown.data<uint8_t>()[i] != 0) {
        dims[i] = -1;
        ++unknown;
      } else if (dims[i] <= 0) {
        return false;  // copied or open dimensions do not mix with ours
      }
    }
    if (unknown != 1) return false;
    ASSIGN_OR_RETURN(Tensor shape, Tensor::Of(std::span<const int64_t>(dims)));
    node.inputs[1] = graph_.AddConstant(Cat(node.name, ".shape"), std::move(shape));
    TRY(InferNode(graph_, node));
    return true;
  }

  Graph& graph_;
  std::vector<std::optional<Partial>> partials_;
};

}  // namespace

Result<int64_t> FoldShapes(Graph& graph, PassContext&) { return Folder(graph).Run(); }

}  // namespace intmill
