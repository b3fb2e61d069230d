// PlaceValues: groups of values that share a scale, and the range of each group.
#include "quant/placement.h"

#include <algorithm>
#include <numeric>

#include "ir/op.h"
#include "quant/observers/observer.h"

namespace intmill {
namespace {

// Disjoint sets of values; the smallest member represents its set.
class Groups {
 public:
  explicit Groups(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }

  size_t Find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(size_t a, size_t b) {
    a = Find(a);
    b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

struct Group {
  bool used = false;
  Range range;
  LayerScheme scheme;     // of the first layer that touches it
  bool is_right = false;  // the second operand of a product of two activations
  std::optional<QParams> fixed;
};

Range RangeOfConstant(const Tensor& tensor) {
  Range range;
  for (const float x : tensor.values<float>()) {
    range.min = std::min(range.min, x);
    range.max = std::max(range.max, x);
  }
  return range;
}

class Placer {
 public:
  Placer(const Graph& graph, const std::vector<LayerDecision>& layers, const FindStatistics& find)
      : graph_(graph),
        layers_(layers),
        find_(find),
        groups_(graph.values.size()),
        touched_(graph.values.size()),
        stays_real_(graph.values.size()) {
    for (size_t i = 0; i < layers.size(); ++i)
      if (layers[i].writes_real) stays_real_[static_cast<size_t>(graph.nodes[i].outputs[0])] = true;
  }

  Result<ValueParams> Run() {
    std::vector<Group> groups(graph_.values.size());
    for (size_t i = 0; i < layers_.size(); ++i) JoinSameScale(i);
    for (size_t i = 0; i < layers_.size(); ++i) TRY(Touch(i, &groups));

    ValueParams params;
    params.bytes.resize(graph_.values.size());
    params.words.resize(graph_.values.size());
    for (size_t id = 0; id < touched_.size(); ++id)
      if (touched_[id]) params.bytes[id] = ParamsOf(groups[groups_.Find(id)]);
    for (size_t i = 0; i < layers_.size(); ++i)
      if (layers_[i].reads_int16()) TRY(PlaceWords(i, &params));
    return params;
  }

 private:
  // What a layer with 16-bit inputs writes becomes integers for the sake of its readers only.
  bool Participates(size_t i) const {
    return layers_[i].kind == LayerKind::kStatic &&
           layers_[i].scheme.activation_dtype != DType::kS16;
  }

  // Readers of one value in 16 bits share its integers.
  Status PlaceWords(size_t i, ValueParams* params) const {
    const ValueId id = graph_.nodes[i].inputs[0];
    std::optional<QParams>& q = params->words[static_cast<size_t>(id)];
    if (q) return Ok();
    ASSIGN_OR_RETURN(const Range range, MeasuredRange(i, id, layers_[i].scheme));
    q = QParams{.dtype = DType::kS16, .scales = {1}, .zero_points = {0}};
    ChooseScale(range, q->dtype, true, q->scales.data(), q->zero_points.data());
    return Ok();
  }

  Result<Range> MeasuredRange(size_t i, ValueId id, const LayerScheme& scheme) const {
    const ValueStatistics* statistics = find_(graph_.value(id).name);
    if (statistics != nullptr) return FindRange(*statistics, scheme);
    return Error(Code::kInvalidArgument, Place(graph_.nodes[i]), ": the calibration did not ",
                 "observe '", graph_.value(id).name, "'; calibrate this very model");
  }

  // Values as static layer i reads and writes them in integers.
  std::vector<ValueId> Inputs(size_t i) const {
    std::vector<ValueId> ids;
    for (const size_t k : ActivationInputs(graph_, graph_.nodes[i])) {
      const ValueId id = graph_.nodes[i].inputs[k];
      const bool is_bias = layers_[i].is_bias && graph_.value(id).constant;
      if (!is_bias && !stays_real_[static_cast<size_t>(id)]) ids.push_back(id);
    }
    return ids;
  }
  std::vector<ValueId> Outputs(size_t i) const {
    std::vector<ValueId> ids;
    for (const ValueId id : graph_.nodes[i].outputs)
      if (IsActivation(graph_, id) && !stays_real_[static_cast<size_t>(id)]) ids.push_back(id);
    return ids;
  }

  void JoinSameScale(size_t i) {
    if (!Participates(i) || graph_.nodes[i].op->quant != QuantRule::kSameScale) return;
    std::vector<ValueId> ids = Inputs(i);
    const std::vector<ValueId> outputs = Outputs(i);
    ids.insert(ids.end(), outputs.begin(), outputs.end());
    for (size_t k = 1; k < ids.size(); ++k)
      groups_.Join(static_cast<size_t>(ids[0]), static_cast<size_t>(ids[k]));
  }

  Status Touch(size_t i, std::vector<Group>* groups) {
    if (!Participates(i)) return Ok();
    for (const ValueId id : Inputs(i)) TRY(AddMember(i, id, nullptr, groups));
    if (layers_[i].is_attention)
      (*groups)[groups_.Find(static_cast<size_t>(graph_.nodes[i].inputs[1]))].is_right = true;
    const OpDef& op = *graph_.nodes[i].op;
    for (const ValueId id : Outputs(i)) {
      std::optional<QParams> fixed;
      if (op.fixed_output != nullptr) {
        ASSIGN_OR_RETURN(fixed,
                         op.fixed_output(graph_.nodes[i], layers_[i].scheme.activation_dtype));
      }
      TRY(AddMember(i, id, fixed ? &*fixed : nullptr, groups));
    }
    return Ok();
  }

  Status AddMember(size_t i, ValueId id, const QParams* fixed, std::vector<Group>* groups) {
    Group& group = (*groups)[groups_.Find(static_cast<size_t>(id))];
    if (!group.used) group.scheme = layers_[i].scheme;
    group.used = true;
    if (fixed != nullptr) group.fixed = *fixed;
    if (touched_[static_cast<size_t>(id)]) return Ok();
    touched_[static_cast<size_t>(id)] = true;

    const Value& value = graph_.value(id);
    Range range;
    if (value.constant) {
      range = RangeOfConstant(*value.constant);
    } else {
      ASSIGN_OR_RETURN(range, MeasuredRange(i, id, group.scheme));
    }
    group.range.min = std::min(group.range.min, range.min);
    group.range.max = std::max(group.range.max, range.max);
    return Ok();
  }

  static QParams ParamsOf(const Group& group) {
    QParams q;
    // The products of processors are of u8 by s8.
    q.dtype = group.is_right ? DType::kS8 : group.scheme.activation_dtype;
    q.scales.resize(1);
    q.zero_points.resize(1);
    ChooseScale(group.range, q.dtype, group.is_right || group.scheme.activation_symmetric,
                q.scales.data(), q.zero_points.data());
    if (!group.fixed) return q;
    // A group that other values widen beyond the fixed range keeps what was measured.
    const float s = group.fixed->scales[0];
    const int64_t z = group.fixed->zero_points[0];
    const float low = static_cast<float>(MinOf(q.dtype) - z) * s;
    const float high = static_cast<float>(MaxOf(q.dtype) - z) * s;
    return group.range.min < low - s || group.range.max > high + s ? q : *group.fixed;
  }

  const Graph& graph_;
  const std::vector<LayerDecision>& layers_;
  const FindStatistics& find_;
  Groups groups_;
  std::vector<bool> touched_;
  std::vector<bool> stays_real_;
};

}  // namespace

Result<ValueParams> PlaceValues(const Graph& graph, const std::vector<LayerDecision>& layers,
                                const FindStatistics& find) {
  return Placer(graph, layers, find).Run();
}

}  // namespace intmill
