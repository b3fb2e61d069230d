// fuse_curves: operators that together compute a well-known function of one value (Gelu, Swish,
// HardSwish) become that function, so that they are quantized, and run, as one. Exporters write
// them in many ways; what is compared is therefore not how they are written but what they compute,
// number by number.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

constexpr size_t kMaxNodes = 10;  // Gelu through tanh has nine

// Dense where curves bend, and a few far out, where they have become lines.
Result<Tensor> Probes() {
  std::vector<float> x;
  for (int i = -64; i <= 64; ++i) x.push_back(static_cast<float>(i) / 8);
  for (const float far : {12.0f, 20.0f, 75.0f, 900.0f}) x.insert(x.end(), {far, -far});
  return Tensor::Of(std::span<const float>(x));
}

struct Curve {
  Node node;  // the operator and its attributes
  Tensor values;
};

Result<std::vector<Curve>> KnownCurves(const Tensor& probes) {
  std::vector<Curve> curves;
  for (const char* name : {"Swish", "Gelu", "Gelu", "HardSwish"}) {
    Node node{.name = name, .op = FindOp(name)};
    if (node.op == nullptr) continue;
    if (!curves.empty() && curves.back().node.op == node.op)
      node.attrs.Set("approximate", std::string("tanh"));
    ASSIGN_OR_RETURN(Tensor values, Tensor::Make(DType::kF32, probes.shape()));
    const Tensor* const input = &probes;
    TRY(node.op->reference({.node = node, .inputs = {&input, 1}, .outputs = {&values, 1}}));
    curves.push_back({std::move(node), std::move(values)});
  }
  return curves;
}

// 1 + erf(x) and its like cancel for large negative x, hence a tolerance that grows with it. The
// two forms of Gelu are a hundred times further apart.
bool Agree(const Tensor& found, const Tensor& wanted, const Tensor& probes) {
  if (found.elements() != wanted.elements()) return false;
  for (int64_t i = 0; i < wanted.elements(); ++i) {
    const float tolerance = 2e-6f * (1 + std::abs(probes.data<float>()[i]));
    if (!(std::abs(found.data<float>()[i] - wanted.data<float>()[i]) <= tolerance)) return false;
  }
  return true;
}

class CurveFuser {
 public:
  CurveFuser(Graph& graph, Tensor probes, std::vector<Curve> curves)
      : graph_(graph),
        edges_(graph),
        uses_(FindUses(graph)),
        probes_(std::move(probes)),
        curves_(std::move(curves)) {}

  int64_t Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < edges_.size(); ++i)
      if (EndsCurve(edges_.node(i)) && Fuse(i)) ++fused;
    edges_.Sweep();
    return fused;
  }

 private:
  // Each of the curves is a product, or a product divided.
  bool EndsCurve(const Node& node) const {
    return (node.op == mul_ || node.op == div_) && IsStep(node);
  }

  // Element by element on floats, with nothing but single numbers beside what is computed.
  bool IsStep(const Node& node) const {
    if (!node.op->Has(kElementwise) || node.op->Has(kQuantize) || node.op->Has(kDequantize) ||
        node.outputs.size() != 1 || !node.post_ops.empty() ||
        graph_.value(node.outputs[0]).dtype != DType::kF32)
      return false;
    return std::ranges::all_of(node.inputs, [&](ValueId id) {
      if (id == kNoValue) return true;
      const Tensor* constant = graph_.ConstantOf(id);
      return graph_.value(id).dtype == DType::kF32 &&
             (constant == nullptr || constant->elements() == 1);
    });
  }

  // Values that the nodes read and none of them makes.
  std::vector<ValueId> Sources(const std::vector<int32_t>& nodes) {
    std::vector<ValueId> sources;
    for (const int32_t index : nodes)
      for (const ValueId id : edges_.node(index).inputs) {
        const bool is_made = std::ranges::find(nodes, edges_.Producer(id)) != nodes.end();
        if (id != kNoValue && graph_.ConstantOf(id) == nullptr && !is_made &&
            std::ranges::find(sources, id) == sources.end())
          sources.push_back(id);
      }
    return sources;
  }

  // The latest node that makes one of the sources, for these nodes alone.
  int32_t Next(const std::vector<int32_t>& nodes, const std::vector<ValueId>& sources) {
    int32_t latest = Uses::kNone;
    for (const ValueId id : sources) {
      const int32_t producer = edges_.Producer(id);
      if (producer <= latest || edges_.IsDead(producer) || !IsStep(edges_.node(producer))) continue;
      const auto& readers = uses_.consumers[static_cast<size_t>(id)];
      const bool is_inside = std::ranges::all_of(
          readers, [&](int32_t r) { return std::ranges::find(nodes, r) != nodes.end(); });
      if (is_inside && !uses_.is_output[static_cast<size_t>(id)]) latest = producer;
    }
    return latest;
  }

  // Grows the set of nodes from its end until what it computes is known.
  bool Fuse(int32_t end) {
    std::vector<int32_t> nodes = {end};
    while (nodes.size() <= kMaxNodes) {
      const std::vector<ValueId> sources = Sources(nodes);
      if (sources.size() == 1 && nodes.size() > 1) {
        const Curve* curve = Recognize(nodes, sources[0]);
        if (curve != nullptr) return Replace(nodes, sources[0], *curve);
      }
      const int32_t next = Next(nodes, sources);
      if (next == Uses::kNone) return false;
      nodes.push_back(next);
    }
    return false;
  }

  const Curve* Recognize(std::vector<int32_t> nodes, ValueId source) {
    std::ranges::sort(nodes);
    std::map<ValueId, Tensor> values = {{source, probes_}};
    for (const int32_t index : nodes) {
      std::optional<Tensor> result = Compute(edges_.node(index), values);
      if (!result) return nullptr;
      values.insert_or_assign(edges_.node(index).outputs[0], *std::move(result));
    }
    const Tensor& found = values.at(edges_.node(nodes.back()).outputs[0]);
    const auto curve = std::ranges::find_if(
        curves_, [&](const Curve& c) { return Agree(found, c.values, probes_); });
    return curve == curves_.end() ? nullptr : &*curve;
  }

  std::optional<Tensor> Compute(const Node& node, const std::map<ValueId, Tensor>& values) const {
    std::vector<Tensor> numbers;
    numbers.reserve(node.inputs.size());  // pointers into it are kept
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs) {
      if (const Tensor* constant = graph_.ConstantOf(id)) {
        Result<Tensor> number = constant->Reshaped({});
        if (!number.ok()) return {};
        numbers.push_back(*std::move(number));
        inputs.push_back(&numbers.back());
      } else {
        inputs.push_back(id == kNoValue ? nullptr : &values.at(id));
      }
    }
    Result<Tensor> out = Tensor::Make(DType::kF32, probes_.shape());
    if (!out.ok() ||
        !node.op->reference({.node = node, .inputs = inputs, .outputs = {&*out, 1}}).ok())
      return {};
    return *std::move(out);
  }

  bool Replace(const std::vector<int32_t>& nodes, ValueId source, const Curve& curve) {
    Node& end = edges_.node(nodes.front());
    if (graph_.value(source).shape != graph_.value(end.outputs[0]).shape) return false;
    for (size_t i = 1; i < nodes.size(); ++i) edges_.Kill(nodes[i]);
    end.op = curve.node.op;
    end.attrs = curve.node.attrs;
    end.inputs = {source};
    return true;
  }

  Graph& graph_;
  Edges edges_;
  const Uses uses_;
  const Tensor probes_;
  const std::vector<Curve> curves_;
  const OpDef* const mul_ = FindOp("Mul");
  const OpDef* const div_ = FindOp("Div");
};

}  // namespace

Result<int64_t> FuseCurves(Graph& graph, PassContext&) {
  ASSIGN_OR_RETURN(Tensor probes, Probes());
  ASSIGN_OR_RETURN(std::vector<Curve> curves, KnownCurves(probes));
  return CurveFuser(graph, std::move(probes), std::move(curves)).Run();
}

}  // namespace intmill
