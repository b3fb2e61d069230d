// Reports about a model, read off its graph.
#include "quant/describe.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "ir/digest.h"
#include "ir/op.h"
#include "quant/certificate.h"
#include "quant/quantize_graph.h"
#include "quant/saturation.h"
#include "quant/summary.h"

namespace intmill {
namespace {

constexpr std::string_view kOwnPrefix = "intmill.";
constexpr int64_t kMaxKeyBytes = 128;
constexpr int64_t kMaxValueBytes = 65536;

struct Weights {
  int64_t elements = 0;
  int64_t bytes = 0;
};

class Layers {
 public:
  explicit Layers(const Graph& graph) : graph_(graph), uses_(FindUses(graph)) {}

  std::string Names(const std::vector<ValueId>& ids) const {
    std::string out;
    for (const ValueId id : ids)
      if (id != kNoValue) out += (out.empty() ? "" : " ") + graph_.value(id).name;
    return out;
  }

  Weights WeightsOf(const Node& node) const {
    Weights sum;
    for (const ValueId id : node.inputs) {
      const Tensor* weight = WeightBehind(id);
      if (weight == nullptr) continue;
      sum.elements += weight->elements();
      sum.bytes += weight->bytes();
    }
    return sum;
  }

  // The type of the integers that it reads as activations; "" where there are none.
  std::string ActivationsOf(const Node& node) const {
    for (const ValueId id : node.inputs) {
      const int32_t producer =
          id == kNoValue ? Uses::kNone : uses_.producer[static_cast<size_t>(id)];
      if (producer == Uses::kNone) continue;
      const Node& maker = graph_.nodes[static_cast<size_t>(producer)];
      if (!maker.op->Has(kDequantize) || graph_.ConstantOf(maker.inputs[0]) != nullptr) continue;
      return DTypeName(graph_.value(maker.inputs[0]).dtype);
    }
    return "";
  }

 private:
  // Constants of numbers, themselves or behind a DequantizeLinear or a Cast of 16-bit floats. Axes,
  // shapes and the like are integers of 64 bits and no weights.
  const Tensor* WeightBehind(ValueId id) const {
    if (id == kNoValue) return nullptr;
    const Tensor* constant = graph_.ConstantOf(id);
    const int32_t producer = uses_.producer[static_cast<size_t>(id)];
    if (constant == nullptr && producer != Uses::kNone) {
      const Node& maker = graph_.nodes[static_cast<size_t>(producer)];
      const bool is_cast = maker.op == FindOp("Cast");
      if (maker.op->Has(kDequantize) || is_cast) constant = graph_.ConstantOf(maker.inputs[0]);
    }
    const bool counts = constant != nullptr && constant->dtype() != DType::kS64 &&
                        constant->dtype() != DType::kBool;
    return counts ? constant : nullptr;
  }

  const Graph& graph_;
  const Uses uses_;
};

// Activations, pools and the like run in integers when their neighbours do, and cost next to
// nothing either way: naming a scheme for each would bury the layers that matter.
bool IsWorthQuantizing(const OpDef& op) {
  return op.quant == QuantRule::kWeighted || op.quant == QuantRule::kAllInputs;
}

std::string PairText(const WeightPair& pair) {
  if (pair.channel < 0) return "";
  return Cat("output channel ", pair.channel, ", inputs ", pair.first, " and ", pair.first + 1,
             ": 255 * (", pair.a, pair.b < 0 ? " - " : " + ", std::abs(pair.b), ")");
}

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Table DescribeLayers(const Graph& graph) {
  Table table{
      .columns = {"name", "op", "inputs", "outputs", "dtype", "shape", "parameters", "bytes",
                  "scheme", "note", "saturating", "saturating_pair", "activations"},
      .rows = {}};
  const Table summary = QuantizationSummary(graph);  // layer, op, scheme, reason
  size_t row = 0;
  const Layers layers(graph);
  const Uses uses = FindUses(graph);
  for (const Node& node : graph.nodes) {
    if (node.op->Has(kQuantize) || node.op->Has(kDequantize)) continue;
    const Value& output = graph.value(node.outputs[0]);
    const Weights weights = layers.WeightsOf(node);
    std::string note = ToText(summary.rows[row][3]);
    if (note.empty() && node.op->lower == nullptr && !node.op->Has(kAlias))
      note = "no fast kernel: computed by its plain definition";
    const std::optional<SaturationProof> proof = ProveSaturation(graph, uses, node);
    table.Add({node.name, std::string(node.op->name), layers.Names(node.inputs),
               layers.Names(node.outputs), std::string(DTypeName(output.dtype)),
               output.shape ? ToString(*output.shape) : "?", weights.elements, weights.bytes,
               IsWorthQuantizing(*node.op) ? ToText(summary.rows[row][2]) : std::string(),
               std::move(note),
               proof ? Table::Cell(static_cast<int64_t>(proof->saturating.size())) : Table::Cell(),
               proof ? PairText(proof->worst) : std::string(), layers.ActivationsOf(node)});
    ++row;
  }
  return table;
}

Table DescribeMetadata(const Graph& graph) {
  Table table{.columns = {"key", "value"}, .rows = {}};
  table.Add({std::string("intmill.digest"), DigestOf(graph)});
  for (const auto& [key, value] : graph.metadata)
    // Reasons of layers are shown with the layers, certificates by themselves.
    if (!key.starts_with(ReasonKey("")) && key != kCertificateKey) table.Add({key, value});
  return table;
}

Status Annotate(Graph& graph, std::string_view key, std::string_view value) {
  bool allowed = !key.empty() && static_cast<int64_t>(key.size()) <= kMaxKeyBytes;
  for (const char c : key) allowed &= IsKeyCharacter(c);
  if (!allowed)
    return Error(Code::kInvalidArgument, "metadata key '", key.substr(0, kMaxKeyBytes),
                 "' is not 1 to ", kMaxKeyBytes, " of a-z 0-9 . _ -");
  if (key.starts_with(kOwnPrefix))
    return Error(Code::kInvalidArgument, "metadata key '", key, "' begins with '", kOwnPrefix,
                 "', which is the library's own");
  if (static_cast<int64_t>(value.size()) > kMaxValueBytes || !IsUtf8(value))
    return Error(Code::kInvalidArgument, "the value of metadata key '", key, "' is not up to ",
                 kMaxValueBytes, " bytes of UTF-8");
  if (value.empty())
    graph.metadata.erase(std::string(key));
  else
    graph.metadata[std::string(key)] = value;
  return Ok();
}

}  // namespace intmill
