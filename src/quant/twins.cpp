// MakeTwins: writes Q/DQ for the whole model, then gives every layer a second node that reads what
// the other form reads.
#include "quant/twins.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ir/infer.h"
#include "ir/op.h"
#include "quant/insert_qdq.h"
#include "quant/placement.h"
#include "quant/quantize_graph.h"

namespace intmill {
namespace {

class TwinMaker {
 public:
  TwinMaker(TwinGraph& out, const std::vector<LayerDecision>& layers, const ValueParams& params,
            MainForm main_form)
      : out_(out),
        graph_(out.graph),
        plain_(out.plain),
        layers_(layers),
        params_(params),
        main_form_(main_form) {}

  void Run() {
    FindNodes();
    if (main_form_ == MainForm::kFloat) TakeQuantizedOutputsOut();
    out_.outputs = graph_.outputs.size();
    std::vector<std::vector<ValueId>> integers(plain_.nodes.size());
    for (size_t i = 0; i < plain_.nodes.size(); ++i) {
      integers[i] = node(i).inputs;
      if (main_form_ == MainForm::kFloat) node(i).inputs = FloatInputs(i);
    }
    for (size_t i = 0; i < plain_.nodes.size(); ++i) {
      std::vector<ValueId> floats = FloatInputs(i);
      if (!IsLayer(i) || floats == integers[i]) continue;
      AddTwin(i, main_form_ == MainForm::kFloat ? std::move(integers[i]) : std::move(floats));
    }
  }

 private:
  Node& node(size_t plain) { return graph_.nodes[where_[plain]]; }

  // Original nodes by their names, which stay; and the values they write now.
  void FindNodes() {
    std::map<std::string_view, size_t> by_name;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) by_name[graph_.nodes[i].name] = i;
    for (const Node& plain : plain_.nodes) {
      where_.push_back(by_name.at(plain.name));
      const std::vector<ValueId>& now = graph_.nodes[where_.back()].outputs;
      for (size_t k = 0; k < now.size(); ++k)
        if (now[k] != plain.outputs[k]) real_[plain.outputs[k]] = now[k];
    }
  }

  ValueId Real(ValueId id) const {
    const auto found = real_.find(id);
    return found == real_.end() ? id : found->second;
  }

  // Q/DQ took over the name of an output; in float the model writes what its layer computes.
  void TakeQuantizedOutputsOut() {
    for (ValueId& id : graph_.outputs) id = Real(id);
  }

  std::vector<ValueId> FloatInputs(size_t i) const {
    std::vector<ValueId> inputs = plain_.nodes[i].inputs;
    for (ValueId& id : inputs) id = Real(id);
    return inputs;
  }

  bool IsLayer(size_t i) const {
    const QuantRule rule = plain_.nodes[i].op->quant;
    const bool counts = rule == QuantRule::kWeighted || rule == QuantRule::kAllInputs;
    const bool is_quantized =
        layers_[i].kind == LayerKind::kStatic || layers_[i].kind == LayerKind::kDynamicRanges;
    return counts && is_quantized && !layers_[i].is_fused_activation;
  }

  void AddTwin(size_t i, std::vector<ValueId> inputs) {
    const ValueId computed = node(i).outputs[0];
    ValueId result = computed;
    ValueId twin = Copy(i, std::move(inputs));
    if (layers_[i].fused_activation != LayerDecision::kNoNode) {
      const auto activation = static_cast<size_t>(layers_[i].fused_activation);
      std::vector<ValueId> reads = node(activation).inputs;
      std::replace(reads.begin(), reads.end(), computed, twin);
      result = node(activation).outputs[0];
      twin = Copy(activation, std::move(reads));
    }
    out_.twins.push_back(Describe(i, result, twin));
    for (const ValueId id : {result, twin})
      if (std::find(graph_.outputs.begin(), graph_.outputs.end(), id) == graph_.outputs.end())
        graph_.outputs.push_back(id);
  }

  ValueId Copy(size_t i, std::vector<ValueId> inputs) {
    const Node original = node(i);
    std::vector<ValueId> outputs;
    for (const ValueId id : original.outputs)
      outputs.push_back(id == kNoValue ? kNoValue
                                       : graph_.AddValue(graph_.value(id).name + "_twin"));
    const ValueId first = outputs[0];
    graph_.AddNode(original.name + "_twin", original.op, std::move(inputs), std::move(outputs))
        .attrs = original.attrs;
    return first;
  }

  Twin Describe(size_t i, ValueId result, ValueId twin) const {
    const Node& plain = plain_.nodes[i];
    Twin made;
    made.layer = plain.name;
    made.op = std::string(plain.op->name);
    made.result = graph_.value(result).name;
    made.twin = graph_.value(twin).name;
    made.scheme = layers_[i].scheme;
    const auto reads = ActivationInputs(plain_, plain);
    const auto first = std::find_if(reads.begin(), reads.end(), [&](size_t k) {
      return IsActivation(plain_, plain.inputs[k]);
    });
    if (first != reads.end()) {
      const ValueId id = plain.inputs[*first];
      made.input = graph_.value(Real(id)).name;
      made.input_params = params_.ReadBy(layers_[i], id);
      made.reads_model_input = std::count(plain_.inputs.begin(), plain_.inputs.end(), id) > 0;
    }
    if (!HasConstantWeight(plain_, plain)) return made;
    made.weight = plain_.ConstantOf(plain.inputs[1]);
    made.weight_axis = plain.op->weight_axis(plain, made.weight->rank());
    made.channels = InputChannelsOf(plain, *made.weight);
    return made;
  }

  TwinGraph& out_;
  Graph& graph_;
  const Graph& plain_;
  const std::vector<LayerDecision>& layers_;
  const ValueParams& params_;
  const MainForm main_form_;
  std::vector<size_t> where_;        // in graph_, of each node of plain_
  std::map<ValueId, ValueId> real_;  // of values whose name Q/DQ took over
};

}  // namespace

Result<TwinGraph> MakeTwins(const Graph& graph, const FindStatistics& find,
                            const SchemeTable& schemes, MainForm main_form, const Hooks& hooks) {
  if (IsQuantized(graph)) return Error(Code::kState, "the model is quantized already");
  TwinGraph out;
  out.plain = graph;
  TRY(InferShapes(out.plain));
  out.graph = out.plain;
  const std::vector<LayerDecision> layers = DecideLayers(out.plain, schemes, find);
  const bool is_static = std::any_of(layers.begin(), layers.end(), [](const LayerDecision& layer) {
    return layer.kind == LayerKind::kStatic;
  });
  if (is_static && find == nullptr)
    return Error(Code::kInvalidArgument, "static quantization needs a calibration");
  ASSIGN_OR_RETURN(const ValueParams params, PlaceValues(out.plain, layers, find));
  TRY(InsertQdq(out.graph, layers, params, find, hooks));
  TwinMaker(out, layers, params, main_form).Run();
  if (out.twins.empty()) return Error(Code::kState, "no layer of the model can be quantized");
  TRY(SortTopologically(out.graph));
  Prune(out.graph);
  TRY(InferShapes(out.graph));
  TRY(VerifyGraph(out.graph));
  return out;
}

}  // namespace intmill
