// fold_bf16: a product both of whose operands are BF16 widened to f32 reads the BF16 itself, where
// the machine has kernels for that. Products of BF16 are exact in f32 and sums stay f32, so only
// the order of sums changes. A result that is rounded to BF16 and read by nobody else is written
// so.
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    int64_t folded = 0;
    const int32_t nodes = edges_.size();
    for (int32_t i = 0; i < nodes; ++i)
      if (!edges_.IsDead(i) && Fold(i)) ++folded;
    edges_.Sweep();
    if (folded > 0) TRY(SortTopologically(graph_));
    return folded;
  }

 private:
  bool Fold(int32_t index) {
    const Node& product = edges_.node(index);
    // alpha would scale weights that are rounded already.
    const Result<float> alpha = product.attrs.Float("alpha", 1);
    if (!IsProductOfBf16(edges_, product) || !alpha.ok() || *alpha != 1) return false;
    for (const size_t i : {0, 1}) edges_.SetInput(index, i, Narrow(edges_.node(index).inputs[i]));
    NarrowResult(index);
    return true;
  }

  // The BF16 behind `id`, under the same shape.
  ValueId Narrow(ValueId id) {
    std::vector<int32_t> aliases;  // from the last to the first
    int32_t producer = edges_.Producer(id);
    for (; edges_.node(producer).op->Has(kAlias);
         producer = edges_.Producer(edges_.node(producer).inputs[0]))
      aliases.push_back(producer);
    ValueId narrow = edges_.node(producer).inputs[0];
    for (size_t i = aliases.size(); i-- > 0;) {
      Node alias = edges_.node(aliases[i]);  // beside the old one, which others may read
      const Value& old = graph_.value(alias.outputs[0]);
      alias.inputs[0] = narrow;
      narrow = edges_.AddValue(Cat(old.name, ".bf16"), DType::kBf16, old.shape);
      alias.outputs = {narrow};
      edges_.Append(std::move(alias));
    }
    return narrow;
  }

  // Also where the result takes other shapes before it is rounded.
  void NarrowResult(int32_t index) {
    std::vector<ValueId> results = {edges_.node(index).outputs[0]};
    int32_t last = index;
    int32_t reader = edges_.SoleReader(results.back());
    while (reader != Uses::kNone && edges_.node(reader).op->Has(kAlias) &&
           edges_.node(reader).outputs.size() == 1) {
      last = reader;
      results.push_back(edges_.node(last).outputs[0]);
      reader = edges_.SoleReader(results.back());
    }
    if (reader == Uses::kNone || !IsCast(graph_, edges_.node(reader), DType::kF32, DType::kBf16))
      return;
    for (const ValueId id : results) graph_.value(id).dtype = DType::kBf16;
    const ValueId rounded = edges_.node(reader).outputs[0];
    edges_.Kill(reader);
    edges_.node(last).outputs[0] = rounded;
    edges_.SetProducer(rounded, last);
  }

  Graph& graph_;
  Edges edges_;
};

}  // namespace

Result<int64_t> FoldBf16(Graph& graph, PassContext& context) {
  if (!context.options.bf16_products) return 0;
  return Folder(graph).Run();
}

}  // namespace intmill
