// Taps every value of a compiled run, then walks the unfused graph node by node.
#include "models/layerwise.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include "ir/infer.h"
#include "ir/op.h"
#include "session/session.h"

namespace intmill::test {
namespace {

Result<Tensor> Copy(const Tensor& t) {
  ASSIGN_OR_RETURN(Tensor copy, Tensor::Make(t.dtype(), t.shape()));
  if (t.bytes() > 0)
    std::memcpy(copy.mutable_data<std::byte>(), t.data<std::byte>(),
                static_cast<size_t>(t.bytes()));
  return copy;
}

// Taps show spatial values as they lie in memory, channels last.
Result<Tensor> ChannelsFirst(const Tensor& t, const Shape& wanted) {
  if (t.shape() == wanted) return t;
  if (wanted.size() != 4 || t.shape() != Shape{wanted[0], wanted[2], wanted[3], wanted[1]})
    return Error(Code::kShape, "compiled ", ToString(t.shape()), ", unfused ", ToString(wanted));
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(t.dtype(), wanted));
  const int64_t pixels = wanted[2] * wanted[3];
  for (int64_t n = 0; n < wanted[0]; ++n)
    for (int64_t c = 0; c < wanted[1]; ++c)
      for (int64_t i = 0; i < pixels; ++i)
        out.mutable_data<std::byte>()[(n * wanted[1] + c) * pixels + i] =
            t.data<std::byte>()[(n * pixels + i) * wanted[1] + c];
  return out;
}

// The 8-bit values of a compiled run, by name.
Result<std::map<std::string, Tensor>> TapCompiled(const std::shared_ptr<const Graph>& graph,
                                                  const std::vector<Tensor>& inputs) {
  // Bytes in front of a table are layers too; fuse_table, which changes no bits, hides them.
  SessionOptions options;
  options.passes.disabled = {"fuse_table"};
  ASSIGN_OR_RETURN(const std::shared_ptr<const Session> session, Session::Create(graph, options));
  std::map<std::string, Tensor> values;
  std::vector<Tensor> outputs(graph->outputs.size());
  TRY(session->Run(inputs, outputs,
                   [&](const std::string& name, const Tensor& t, Layout) -> Status {
                     if (!IsQuantized8(t.dtype())) return Ok();
                     ASSIGN_OR_RETURN(values[name], Copy(t));
                     return Ok();
                   }));
  return values;
}

int64_t StepsApart(const Tensor& a, const Tensor& b, int64_t i) {
  if (a.dtype() == DType::kU8) return std::abs(a.data<uint8_t>()[i] - b.data<uint8_t>()[i]);
  return std::abs(a.data<int8_t>()[i] - b.data<int8_t>()[i]);
}

void AddLayer(const std::string& name, const Tensor& found, const Tensor& wanted,
              LayerDifferences& differences) {
  ++differences.layers;
  differences.elements += wanted.elements();
  for (int64_t i = 0; i < wanted.elements(); ++i) {
    const int64_t steps = StepsApart(found, wanted, i);
    differences.differing += steps != 0;
    if (steps <= differences.max_steps) continue;
    differences.max_steps = steps;
    differences.worst = name;
  }
}

std::vector<const Tensor*> InputsOf(const Graph& graph, const Node& node,
                                    const std::vector<Tensor>& values) {
  std::vector<const Tensor*> inputs;
  for (const ValueId id : node.inputs) {
    const Tensor* const constant = graph.ConstantOf(id);
    const bool is_computed = constant == nullptr && id != kNoValue;
    inputs.push_back(is_computed ? &values[static_cast<size_t>(id)] : constant);
  }
  return inputs;
}

}  // namespace

Result<LayerDifferences> CompareLayers(const std::shared_ptr<const Graph>& graph,
                                       const std::vector<Tensor>& inputs) {
  ASSIGN_OR_RETURN(const auto compiled, TapCompiled(graph, inputs));
  LayerDifferences differences;
  std::vector<Tensor> values(graph->values.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    values[static_cast<size_t>(graph->inputs[i])] = inputs[i];
  for (const Node& node : graph->nodes) {
    ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                     EvaluateNode(*graph, node, InputsOf(*graph, node, values), INT64_MAX));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      Tensor& value = values[static_cast<size_t>(node.outputs[i])];
      value = std::move(outputs[i]);
      const std::string& name = graph->value(node.outputs[i]).name;
      const auto found = compiled.find(name);
      if (!node.op->Has(kQuantize) || found == compiled.end()) continue;
      ASSIGN_OR_RETURN(Tensor same_order, ChannelsFirst(found->second, value.shape()).At(name));
      AddLayer(name, same_order, value, differences);
      value = std::move(same_order);
    }
  }
  return differences;
}

}  // namespace intmill::test
