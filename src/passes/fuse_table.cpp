// fuse_table: on integers, a function between 8-bit numbers whose argument a product or a
// convolution writes becomes a table of 256 entries in that operator's last step, so that bytes are
// looked up while they are in the nearest cache of the thread that computed them.
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

constexpr int64_t kTableBytes = 256 * 4;

class TableFuser {
 public:
  explicit TableFuser(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < edges_.size(); ++i) {
      if (edges_.IsDead(i) || !IsFunctionOfByte(edges_.node(i))) continue;
      const std::vector<ValueId> path = PathTo(i);
      if (path.empty()) continue;
      TRY(Fuse(i, path));
      ++fused;
    }
    edges_.Sweep();
    return fused;
  }

 private:
  bool IsByte(ValueId id) const {
    const Value& value = graph_.value(id);
    return IsQuantized8(value.dtype) && value.qparams != nullptr && value.qparams->per_tensor();
  }

  bool IsFunctionOfByte(const Node& node) const {
    if (node.op->quant != QuantRule::kUnary || node.outputs.size() != 1 || !node.post_ops.empty())
      return false;
    for (size_t i = 1; i < node.inputs.size(); ++i)  // the bounds of a Clip
      if (node.inputs[i] != kNoValue && graph_.ConstantOf(node.inputs[i]) == nullptr) return false;
    return IsByte(node.inputs[0]) && IsByte(node.outputs[0]);
  }

  // From the result of a sum of products to what the function reads: the same bytes, perhaps under
  // other shapes, that nobody else reads. Empty where there is none.
  std::vector<ValueId> PathTo(int32_t function) {
    std::vector<ValueId> path;
    for (int32_t reader = function;;) {
      const ValueId id = edges_.node(reader).inputs[0];
      const int32_t producer = edges_.Producer(id);
      if (producer == Uses::kNone || edges_.SoleReader(id) != reader || !IsByte(id)) return {};
      path.insert(path.begin(), id);
      if (*graph_.value(id).qparams != *graph_.value(path.back()).qparams) return {};
      const Node& node = edges_.node(producer);
      if (node.outputs.size() != 1) return {};
      if (node.op->quant == QuantRule::kWeighted)
        return TakesTable(node) ? path : std::vector<ValueId>{};
      if (!node.op->Has(kAlias)) return {};
      reader = producer;
    }
  }

  bool TakesTable(const Node& node) const {
    const bool has_one =
        !node.post_ops.empty() && node.post_ops.back().kind == PostOp::Kind::kTable;
    return IsByte(node.inputs[0]) && !has_one;
  }

  // What the function makes of each of the 256 bytes.
  Result<Tensor> Evaluate(const Node& function, const QParams& argument) const {
    ASSIGN_OR_RETURN(const Tensor real, RealValuesOfBytes(argument));
    std::vector<const Tensor*> inputs = {&real};
    for (size_t i = 1; i < function.inputs.size(); ++i)
      inputs.push_back(graph_.ConstantOf(function.inputs[i]));
    ASSIGN_OR_RETURN(const std::vector<Tensor> outputs,
                     EvaluateNode(graph_, function, inputs, kTableBytes));
    return outputs[0];
  }

  Status Fuse(int32_t function, const std::vector<ValueId>& path) {
    const ValueId out = edges_.node(function).outputs[0];
    const int32_t last = edges_.Producer(path.back());
    const QParamsPtr rounded = graph_.value(path.front()).qparams;
    ASSIGN_OR_RETURN(Tensor table, Evaluate(edges_.node(function), *rounded));
    Node& sum = edges_.node(edges_.Producer(path.front()));
    sum.post_ops.push_back(
        {.kind = PostOp::Kind::kTable, .rounded = rounded, .table = std::move(table)});
    for (const ValueId id : path) {
      graph_.value(id).dtype = graph_.value(out).dtype;
      graph_.value(id).qparams = graph_.value(out).qparams;
    }
    edges_.Kill(function);
    edges_.node(last).outputs = {out};
    edges_.SetProducer(out, last);
    return Ok();
  }

  Graph& graph_;
  Edges edges_;
};

}  // namespace

Result<int64_t> FuseTable(Graph& graph, PassContext&) { return TableFuser(graph).Run(); }

}  // namespace intmill
