// split_int16: a product of 16-bit activations and 8-bit weights becomes two products of bytes,
// which fold_qdq makes integers. With x = 256 h + l, h in -128..127 and l in 0..255,
//   sum x w = 256 sum h w + sum l w,
// where h is u8 with zero point 128 and 256 times the scale of x, l is u8 with zero point 0. Both
// sums are exact in 32 bits. The first is written in f32; the second adds it together with the
// bias, before whatever is fused behind.
#include <algorithm>
#include <cfloat>
#include <map>
#include <utility>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

constexpr float kHighUnit = 256;

class Splitter {
 public:
  explicit Splitter(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    const int32_t nodes = edges_.size();
    int64_t split = 0;
    for (int32_t i = 0; i < nodes; ++i) {
      const std::optional<QuantizedValue> x = Splittable(edges_.node(i));
      if (!x) continue;
      TRY(Split(i, *x));
      ++split;
    }
    if (split == 0) return split;
    TRY(SortTopologically(graph_));
    Prune(graph_);  // a QuantizeLinear that nobody reads would count as a reader
    return split;
  }

 private:
  struct Halves {
    ValueId high = kNoValue;
    ValueId low = kNoValue;
  };

  // The 16-bit input of a product that fold_qdq would take if it had 8 bits.
  std::optional<QuantizedValue> Splittable(const Node& node) const {
    if (node.op->quant != QuantRule::kWeighted || node.outputs.size() != 1) return {};
    std::optional<QuantizedValue> x = edges_.Dequantized(node.inputs[0]);
    if (!x || !IsActivation16(*x) || !(x->qparams->scales[0] <= FLT_MAX / kHighUnit)) return {};
    const std::optional<QuantizedValue> weights = edges_.Dequantized(node.inputs[1]);
    const bool folds = weights && graph_.ConstantOf(weights->id) != nullptr &&
                       WeightsFold(graph_, node, *weights) && BiasFolds(node);
    return folds ? std::move(x) : std::nullopt;
  }

  bool BiasFolds(const Node& node) const {
    const bool has_bias =
        node.op->max_inputs > 2 && node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (!has_bias || graph_.ConstantOf(node.inputs[2]) != nullptr) return true;
    const std::optional<QuantizedValue> bias = edges_.Dequantized(node.inputs[2]);
    return bias && bias->qparams->dtype == DType::kS32 && graph_.ConstantOf(bias->id) != nullptr;
  }

  Status Split(int32_t index, const QuantizedValue& x) {
    ASSIGN_OR_RETURN(const Halves halves, HalvesOf(x));
    const Node& whole = edges_.node(index);
    Node high{.name = Cat(whole.name, ".high"), .op = whole.op, .attrs = whole.attrs};
    high.inputs = {halves.high, whole.inputs[1]};
    const Value& out = graph_.value(whole.outputs[0]);
    const ValueId sum = edges_.AddValue(Cat(out.name, ".high"), DType::kF32, out.shape);
    high.outputs = {sum};
    edges_.Append(std::move(high));

    edges_.SetInput(index, 0, halves.low);
    Node& low = edges_.node(index);
    const size_t at = std::max(low.inputs.size(), static_cast<size_t>(low.op->max_inputs));
    low.inputs.resize(at + 1, kNoValue);
    low.post_ops.insert(low.post_ops.begin(),
                        {.kind = PostOp::Kind::kAdd, .input = static_cast<int64_t>(at)});
    edges_.SetInput(index, at, sum);
    return Ok();
  }

  // The halves as real numbers, once for all products that read a value.
  Result<Halves> HalvesOf(const QuantizedValue& x) {
    const float scale = x.qparams->scales[0];
    const auto [entry, is_new] = halves_.try_emplace({x.id, scale});
    if (!is_new) return entry->second;
    Node split = SplitNode(x);
    const std::string name = graph_.value(x.id).name;
    const std::optional<Shape> shape = graph_.value(x.id).shape;
    const ValueId high = edges_.AddValue(name + ".high", DType::kU8, shape);
    const ValueId low = edges_.AddValue(name + ".low", DType::kU8, shape);
    split.outputs = {high, low};
    edges_.Append(std::move(split));
    ASSIGN_OR_RETURN(entry->second.high, Dequantize(high, scale * kHighUnit, 128));
    ASSIGN_OR_RETURN(entry->second.low, Dequantize(low, scale, 0));
    return entry->second;
  }

  // Reads what was quantized to x where nothing else happened to x: no 16-bit numbers are stored.
  Node SplitNode(const QuantizedValue& x) const {
    Node split{.name = Cat(graph_.value(x.id).name, ".split"),
               .op = FindOp("SplitInt16", "intmill")};
    split.inputs = {x.id};
    const int32_t producer = edges_.Producer(x.id);
    if (producer == Uses::kNone) return split;
    const std::optional<QuantizedValue> q = edges_.QuantizedBy(producer);
    const ValueId real = graph_.nodes[static_cast<size_t>(producer)].inputs[0];
    if (!q || !SameMeaning(*q, x) || graph_.value(real).dtype != DType::kF32) return split;
    split.inputs = {real};
    split.attrs.Set("scale", x.qparams->scales[0]);
    return split;
  }

  Result<ValueId> Dequantize(ValueId byte, float scale, uint8_t zero_point) {
    ASSIGN_OR_RETURN(Tensor s, Tensor::Scalar(scale));
    ASSIGN_OR_RETURN(Tensor z, Tensor::Make(DType::kU8, {}));
    *z.mutable_data<uint8_t>() = zero_point;
    const std::string name = graph_.value(byte).name;
    Node node{.name = name + "_dequantize", .op = FindOp("DequantizeLinear")};
    node.inputs = {byte, AddConstant(name + "_scale", std::move(s)),
                   AddConstant(name + "_zero_point", std::move(z))};
    node.outputs = {edges_.AddValue(name + "_dequantized", DType::kF32, graph_.value(byte).shape)};
    const ValueId real = node.outputs[0];
    edges_.Append(std::move(node));
    return real;
  }

  ValueId AddConstant(std::string_view name, Tensor tensor) {
    const ValueId id = edges_.AddValue(name, tensor.dtype(), tensor.shape());
    graph_.value(id).constant = std::move(tensor);
    return id;
  }

  Graph& graph_;
  Edges edges_;
  std::map<std::pair<ValueId, float>, Halves> halves_;
};

}  // namespace

Result<int64_t> SplitInt16(Graph& graph, PassContext&) { return Splitter(graph).Run(); }

}  // namespace intmill
