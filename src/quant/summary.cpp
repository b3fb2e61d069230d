// QuantizationSummary: read off the graph itself, so that it holds for foreign Q/DQ models too.
#include "quant/summary.h"

#include <algorithm>

#include "ir/op.h"
#include "passes/edges.h"
#include "quant/layers.h"
#include "quant/quantize_graph.h"

namespace intmill {
namespace {

class Summary {
 public:
  explicit Summary(const Graph& graph) : graph_(graph), uses_(FindUses(graph)) {}

  std::string SchemeOf(const Node& node) const {
    if (const std::string scheme = WeightScheme(node); !scheme.empty()) return scheme;
    if (node.op->quant == QuantRule::kFloat && !node.op->Has(kActivation)) return "";
    if (IsFusedActivation(node)) return SchemeOf(*ProducerOf(node.inputs[0]));
    const auto inputs = ActivationInputs(graph_, node);
    if (ReadsIntegers(node, inputs)) {
      // The constant beside a product has no producer.
      if (std::any_of(inputs.begin(), inputs.end(), [&](size_t i) {
            const Node* source = ProducerOf(node.inputs[i]);
            return source != nullptr && IsDynamic(*source);
          }))
        return "dynamic";
      if (node.op->weight_axis != nullptr || WritesIntegers(node)) return "static";
    }
    const bool computes = node.op->quant != QuantRule::kSameScale &&
                          std::any_of(inputs.begin(), inputs.end(), [&](size_t i) {
                            return IsActivation(graph_, node.inputs[i]);
                          });
    return computes ? "float" : "";
  }

 private:
  bool IsWidened(ValueId id) const {
    const Node* const source = ProducerOf(id);
    return source != nullptr && IsCast(graph_, *source, DType::kBf16, DType::kF32);
  }

  // Of weights stored smaller than f32 beside float activations: a product's, or the table of a
  // Gather, which has no activation; and of products of BF16. "" for others.
  std::string WeightScheme(const Node& node) const {
    const bool is_product = node.op->weight_axis != nullptr;
    const size_t weight = is_product ? 1 : 0;
    if ((!is_product && node.op != FindOp("Gather")) || node.inputs.size() <= weight) return "";
    if (is_product && IsWidened(node.inputs[0]) && IsWidened(node.inputs[1])) return "bf16_compute";
    const Node* const source = ProducerOf(node.inputs[weight]);
    const Node* const activation = is_product ? ProducerOf(node.inputs[0]) : nullptr;
    if (source == nullptr || source->inputs.empty() ||
        (activation != nullptr && activation->op->Has(kDequantize)))
      return "";
    const Tensor* const stored = graph_.ConstantOf(source->inputs[0]);
    if (stored == nullptr) return "";
    if (source->op->Has(kDequantize)) return "weight_only";
    if (source->op != FindOp("Cast")) return "";
    return stored->dtype() == DType::kF16 ? "fp16" : stored->dtype() == DType::kBf16 ? "bf16" : "";
  }

  const Node* ProducerOf(ValueId id) const {
    if (id == kNoValue) return nullptr;
    const int32_t producer = uses_.producer[static_cast<size_t>(id)];
    return producer == Uses::kNone ? nullptr : &graph_.nodes[static_cast<size_t>(producer)];
  }

  // The integers come from a DynamicQuantizeLinear: its scale is an output and not a constant.
  bool IsDynamic(const Node& dequantize) const {
    return dequantize.op->Has(kDequantize) && dequantize.inputs.size() > 1 &&
           graph_.ConstantOf(dequantize.inputs[1]) == nullptr;
  }

  bool ReadsIntegers(const Node& node, const std::vector<size_t>& inputs) const {
    return !inputs.empty() && !HasConstantWeight(graph_, node) &&
           std::all_of(inputs.begin(), inputs.end(), [&](size_t i) {
             if (graph_.ConstantOf(node.inputs[i]) != nullptr) return AddsToProduct(node);
             const Node* source = ProducerOf(node.inputs[i]);
             return source != nullptr &&
                    (source->op->Has(kDequantize) || IsFusedResidual(node, *source));
           });
  }

  // A constant beside a product is the product's bias.
  bool AddsToProduct(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      const Node* source = id == kNoValue ? nullptr : ProducerOf(id);
      return source != nullptr && IsFusedResidual(node, *source);
    });
  }

  bool IsOnlyReader(const Node& reader, ValueId id) const {
    const auto& readers = uses_.consumers[static_cast<size_t>(id)];
    return readers.size() == 1 && !uses_.is_output[static_cast<size_t>(id)] &&
           &graph_.nodes[static_cast<size_t>(readers[0])] == &reader;
  }

  bool IsProductOfIntegers(const Node& node) const {
    return node.op->weight_axis != nullptr && ReadsIntegers(node, ActivationInputs(graph_, node));
  }

  // A sum with a product of integers that only the sum reads: the product adds the rest.
  bool IsFusedResidual(const Node& sum, const Node& product) const {
    return sum.op->quant == QuantRule::kAllInputs && sum.op->weight_axis == nullptr &&
           IsOnlyReader(sum, product.outputs[0]) && IsProductOfIntegers(product);
  }

  // QuantizeLinear is all that reads the result, perhaps behind an activation.
  bool WritesIntegers(const Node& node) const {
    const auto& readers = uses_.consumers[static_cast<size_t>(node.outputs[0])];
    return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](int32_t i) {
      const Node& reader = graph_.nodes[static_cast<size_t>(i)];
      return reader.op->Has(kQuantize) ||
             (reader.op->Has(kActivation) && !node.op->Has(kActivation) && readers.size() == 1 &&
              WritesIntegers(reader));
    });
  }

  // Stands behind a layer that reads integers, and is all that reads its result.
  bool IsFusedActivation(const Node& node) const {
    if (!node.op->Has(kActivation) || node.inputs.empty() || node.inputs[0] == kNoValue)
      return false;
    const Node* before = ProducerOf(node.inputs[0]);
    if (before == nullptr || before->op->Has(kActivation) || before->op->Has(kDequantize) ||
        !IsOnlyReader(node, node.inputs[0]))
      return false;
    return IsProductOfIntegers(*before) ||
           (ReadsIntegers(*before, ActivationInputs(graph_, *before)) && WritesIntegers(node));
  }

  const Graph& graph_;
  const Uses uses_;
};

}  // namespace

std::string ReasonKey(std::string_view layer) { return "intmill.float." + std::string(layer); }

Table QuantizationSummary(const Graph& graph) {
  Table table;
  table.columns = {"layer", "op", "scheme", "reason"};
  const Summary summary(graph);
  for (const Node& node : graph.nodes) {
    if (node.op->Has(kQuantize) || node.op->Has(kDequantize)) continue;
    const std::string scheme = summary.SchemeOf(node);
    const auto reason = graph.metadata.find(ReasonKey(node.name));
    table.Add({node.name, std::string(node.op->name), scheme,
               scheme == "float" && reason != graph.metadata.end() ? reason->second : ""});
  }
  return table;
}

}  // namespace intmill
