// Printing graphs.
#include "ir/print.h"

#include "ir/op.h"

namespace intmill {
namespace {

// In the order of PostOp::Kind.
constexpr const char* kPostOpNames[] = {"relu", "clip",  "leaky_relu",   "sigmoid",
                                        "tanh", "elu",   "hard_sigmoid", "hard_swish",
                                        "gelu", "swish", "add",          "table"};
static_assert(std::size(kPostOpNames) == static_cast<size_t>(PostOp::Kind::kTable) + 1);

struct AttributeText {
  std::string& out;
  void operator()(int64_t x) const { out += std::to_string(x); }
  void operator()(float x) const { out += std::to_string(x); }
  void operator()(const std::string& x) const { out += Cat('"', x, '"'); }
  void operator()(const Tensor& x) const {
    out += Cat(DTypeName(x.dtype()), ' ', ToString(x.shape()));
  }
  template <typename T>
  void operator()(const std::vector<T>& list) const {
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ',';
      (*this)(list[i]);
    }
  }
};

std::string Describe(const Graph& graph, ValueId id) {
  if (id == kNoValue) return "-";
  const Value& value = graph.value(id);
  std::string out = Cat(value.name, ": ", DTypeName(value.dtype), ' ',
                        value.shape ? ToString(*value.shape) : "unknown rank");
  if (value.qparams != nullptr) out += value.qparams->per_tensor() ? " quantized" : " per-channel";
  if (value.constant) out += " constant";
  return out;
}

std::string NameOf(const Graph& graph, ValueId id) {
  if (id == kNoValue) return "-";
  return graph.ConstantOf(id) != nullptr ? Describe(graph, id) : graph.value(id).name;
}

}  // namespace

std::string Print(const Graph& graph, const Node& node) {
  std::string out;
  for (const ValueId id : node.outputs) out += (out.empty() ? "" : ", ") + Describe(graph, id);
  out += Cat(" = ", node.op == nullptr ? "no operator" : node.op->name, " '", node.name, "' (");
  for (size_t i = 0; i < node.inputs.size(); ++i)
    out += (i == 0 ? "" : ", ") + NameOf(graph, node.inputs[i]);
  out += ')';
  for (const auto& [name, attribute] : node.attrs.all()) {
    out += Cat(' ', name, '=');
    std::visit(AttributeText{out}, attribute);
  }
  for (const PostOp& post_op : node.post_ops)
    out += Cat(" +", kPostOpNames[static_cast<size_t>(post_op.kind)]);
  return out;
}

std::string Print(const Graph& graph) {
  std::string out;
  for (const ValueId id : graph.inputs) out += "input " + Describe(graph, id) + '\n';
  for (const Node& node : graph.nodes) out += Print(graph, node) + '\n';
  for (const ValueId id : graph.outputs) out += "output " + NameOf(graph, id) + '\n';
  return out;
}

}  // namespace intmill
