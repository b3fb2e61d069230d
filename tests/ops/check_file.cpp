// A case as an ONNX file of one node: read, cleaned up, compiled and run as a user's model is.
#include <algorithm>

#include "import/load.h"
#include "ir/infer.h"
#include "ops/compare.h"
#include "ops/harness.h"
#include "session/session.h"
#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

int32_t OnnxTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return kOnnxFloat;
    case DType::kU8:
      return kOnnxUint8;
    case DType::kS8:
      return kOnnxInt8;
    case DType::kS16:
      return kOnnxInt16;
    case DType::kS32:
      return kOnnxInt32;
    case DType::kS64:
      return kOnnxInt64;
    default:
      return kOnnxBool;
  }
}

std::string TensorMessage(const std::string& name, const Tensor& t) {
  const std::string raw(t.data<char>(), static_cast<size_t>(t.bytes()));
  return RawTensor(name, OnnxTypeOf(t.dtype()), t.shape(), raw);
}

struct AttributeWriter {
  const std::string& name;

  std::string operator()(int64_t value) const { return IntAttribute(name, value); }
  std::string operator()(float value) const { return FloatAttribute(name, value); }
  std::string operator()(const std::string& value) const { return StringAttribute(name, value); }
  std::string operator()(const std::vector<int64_t>& v) const { return IntsAttribute(name, v); }
  std::string operator()(const std::vector<float>& v) const { return FloatsAttribute(name, v); }
  std::string operator()(const Tensor& t) const {
    return TensorAttribute(name, TensorMessage("value", t));
  }
  std::string operator()(const std::vector<std::string>& values) const {
    return Message([&](auto& w) {
      w.add_string(1, name);
      for (const std::string& value : values) w.add_string(9, value);
      w.add_int32(20, 8);
    });
  }
};

std::string ValueOf(const std::string& name, DType dtype, const Shape& shape) {
  std::vector<Dim> dims;
  for (const int64_t dim : shape) dims.push_back({.size = dim});
  return ValueMessage(name, OnnxTypeOf(dtype), dims);
}

std::string FileOf(const OpCase& c) {
  ModelParts model{.opset = std::max<int64_t>(c.opset, 7)};
  NodeParts node{.op = c.op, .domain = c.domain};
  for (const auto& [name, value] : c.attrs.all())
    node.attributes.push_back(std::visit(AttributeWriter{name}, value));
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const CaseInput& input = c.inputs[i];
    const std::string name = Cat("x", i);
    node.inputs.push_back(input.present ? name : "");
    if (!input.present) continue;
    if (input.constant)
      model.initializers.push_back(TensorMessage(name, input.tensor));
    else
      model.inputs.push_back(ValueOf(name, input.tensor.dtype(), input.tensor.shape()));
  }
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    const CaseOutput& output = c.outputs[i];
    node.outputs.push_back(output.present ? Cat("y", i) : "");
    if (output.present) model.outputs.push_back(ValueOf(Cat("y", i), output.dtype, output.shape));
  }
  model.nodes.push_back(node);
  return ModelMessage(model);
}

// A shape that depends on the values of an input needs a constant there.
bool IsKnownBeforeRunning(BuiltCase& built) {
  if (!InferNode(built.graph, built.node()).ok()) return true;  // the file must say why
  return std::ranges::all_of(built.node().outputs, [&](ValueId id) {
    return id == kNoValue ||
           (built.graph.value(id).shape && IsStatic(*built.graph.value(id).shape));
  });
}

Result<std::vector<Tensor>> RunFile(const OpCase& c) {
  ASSIGN_OR_RETURN(Graph graph, LoadModelFromMemory(BlobOf(FileOf(c)), {}));
  const auto shared = std::make_shared<const Graph>(std::move(graph));
  ASSIGN_OR_RETURN(const auto session, Session::Create(shared, {.threads = 2}));
  std::vector<Tensor> inputs;
  for (const CaseInput& input : c.inputs)
    if (input.present && !input.constant) inputs.push_back(input.tensor);
  std::vector<Tensor> outputs(shared->outputs.size());
  TRY(session->Run(inputs, outputs));
  return outputs;
}

}  // namespace

Status CheckFile(const OpCase& c) {
  if (!c.post_ops.empty()) return Ok();  // no file holds them
  ASSIGN_OR_RETURN(BuiltCase built, Build(c, KnownShapes::kAll));
  if (!IsKnownBeforeRunning(built)) return Ok();
  ASSIGN_OR_RETURN(const std::vector<Tensor> wanted, RunReference(built, built.inputs));
  ASSIGN_OR_RETURN(const std::vector<Tensor> found, RunFile(c));
  size_t next = 0;
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    if (!c.outputs[i].present) continue;
    TRY(CompareTensors(found[next++], wanted[i], c.lowered_tolerance).At(Cat("output ", i)));
  }
  return Ok();
}

}  // namespace intmill::test
