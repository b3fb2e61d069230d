// FindAttention. Names the operators that exporters write attention with.
#include "quant/attention.h"

#include <optional>

#include "ir/op.h"

namespace intmill {
namespace {

// A scale and a mask, or two.
constexpr int kMaxBetween = 3;

class Finder {
 public:
  Finder(const Graph& graph, const Uses& uses) : graph_(graph), uses_(uses) {}

  std::vector<Attention> Run() const {
    std::vector<Attention> found;
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (const auto attention = At(static_cast<int32_t>(i))) found.push_back(*attention);
    return found;
  }

 private:
  const Node& node(int32_t i) const { return graph_.nodes[static_cast<size_t>(i)]; }

  int32_t SoleReader(ValueId id) const {
    const auto i = static_cast<size_t>(id);
    return uses_.consumers[i].size() == 1 && !uses_.is_output[i] ? uses_.consumers[i][0]
                                                                 : Uses::kNone;
  }

  bool IsProduct(int32_t i) const {
    return i != Uses::kNone && node(i).op == matmul_ &&
           graph_.ConstantOf(node(i).inputs[0]) == nullptr &&
           graph_.ConstantOf(node(i).inputs[1]) == nullptr;
  }

  bool WorksOnRows(const Node& softmax) const {
    const std::optional<Shape>& x = graph_.value(softmax.inputs[0]).shape;
    const Result<int64_t> axis = softmax.attrs.Int("axis", -1);
    return softmax.op == softmax_ && x && !x->empty() && axis.ok() &&
           !softmax.attrs.Has("flattens") &&
           (*axis == -1 || *axis == static_cast<int64_t>(x->size()) - 1);
  }

  std::optional<Attention> At(int32_t softmax) const {
    if (!WorksOnRows(node(softmax))) return {};
    const ValueId weights = node(softmax).outputs[0];
    const int32_t values = SoleReader(weights);
    if (!IsProduct(values) || node(values).inputs[0] != weights ||
        node(values).inputs[1] == weights)
      return {};
    const int32_t scores = ScoresBefore(node(softmax).inputs[0], kMaxBetween);
    if (scores == Uses::kNone) return {};
    return Attention{scores, softmax, values};
  }

  // The product that makes `id`, alone or with factors and addends.
  int32_t ScoresBefore(ValueId id, int left) const {
    const int32_t producer = id == kNoValue ? Uses::kNone : uses_.producer[static_cast<size_t>(id)];
    if (producer == Uses::kNone || SoleReader(id) == Uses::kNone) return Uses::kNone;
    if (IsProduct(producer)) return producer;
    const OpDef* op = node(producer).op;
    if (left == 0 || (op != add_ && op != mul_ && op != div_)) return Uses::kNone;
    for (const ValueId input : node(producer).inputs)
      if (const int32_t scores = ScoresBefore(input, left - 1); scores != Uses::kNone)
        return scores;
    return Uses::kNone;
  }

  const Graph& graph_;
  const Uses& uses_;
  const OpDef* const add_ = FindOp("Add");
  const OpDef* const div_ = FindOp("Div");
  const OpDef* const matmul_ = FindOp("MatMul");
  const OpDef* const mul_ = FindOp("Mul");
  const OpDef* const softmax_ = FindOp("Softmax");
};

}  // namespace

std::vector<Attention> FindAttention(const Graph& graph, const Uses& uses) {
  return Finder(graph, uses).Run();
}

}  // namespace intmill
