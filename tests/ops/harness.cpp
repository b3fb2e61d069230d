// Cases as graphs of one node: inference and the reference against what the case says.
#include "ops/harness.h"

#include <cmath>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/compare.h"

namespace intmill::test {
namespace {

constexpr int64_t kMaxOutputBytes = int64_t{1} << 30;

std::optional<Shape> Forget(const Shape& shape, KnownShapes known) {
  if (known == KnownShapes::kNothing) return std::nullopt;
  if (known == KnownShapes::kRanks) return Shape(shape.size(), kDynamic);
  return shape;
}

void AddInputs(const OpCase& c, KnownShapes known, Graph& graph, std::vector<ValueId>& ids) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const CaseInput& input = c.inputs[i];
    const std::string name = Cat("x", i);
    if (!input.present) {
      ids.push_back(kNoValue);
    } else if (input.constant) {
      ids.push_back(graph.AddConstant(name, input.tensor));
    } else {
      ids.push_back(
          graph.AddValue(name, input.tensor.dtype(), Forget(input.tensor.shape(), known)));
      graph.inputs.push_back(ids.back());
    }
  }
}

bool Compatible(const Value& inferred, const CaseOutput& wanted) {
  if (inferred.dtype != wanted.dtype) return false;
  if (!inferred.shape) return true;
  if (inferred.shape->size() != wanted.shape.size()) return false;
  for (size_t i = 0; i < wanted.shape.size(); ++i)
    if ((*inferred.shape)[i] != kDynamic && (*inferred.shape)[i] != wanted.shape[i]) return false;
  return true;
}

Status CheckInferred(const OpCase& c, KnownShapes known) {
  ASSIGN_OR_RETURN(BuiltCase built, Build(c, known));
  TRY(InferNode(built.graph, built.node()));
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    if (!c.outputs[i].present) continue;
    const Value& value = built.graph.value(built.node().outputs[i]);
    const bool complete = value.shape && IsStatic(*value.shape);
    const bool may_be_open = known != KnownShapes::kAll || c.reference_only;
    if (Compatible(value, c.outputs[i]) && (complete || may_be_open)) continue;
    return Error(Code::kShape, "output ", i, " was inferred as ", DTypeName(value.dtype), " ",
                 value.shape ? ToString(*value.shape) : "of unknown rank", ", wanted ",
                 DTypeName(c.outputs[i].dtype), " ", ToString(c.outputs[i].shape));
  }
  return Ok();
}

double PostOpValue(const PostOp& p, double x) {
  const double a = p.alpha;
  const double b = p.beta;
  switch (p.kind) {
    case PostOp::Kind::kRelu:
      return x > 0 ? x : 0;
    case PostOp::Kind::kClip:
      return std::min(std::max(x, a), b);
    case PostOp::Kind::kLeakyRelu:
      return x < 0 ? a * x : x;
    case PostOp::Kind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case PostOp::Kind::kTanh:
      return std::tanh(x);
    case PostOp::Kind::kElu:
      return x < 0 ? a * (std::exp(x) - 1) : x;
    case PostOp::Kind::kHardSigmoid:
      return std::min(std::max(a * x + b, 0.0), 1.0);
    case PostOp::Kind::kHardSwish:
      return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
    case PostOp::Kind::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case PostOp::Kind::kSwish:
      return x / (1 + std::exp(-x));
    case PostOp::Kind::kAdd:
    case PostOp::Kind::kTable:  // no case has one
      break;
  }
  return x;
}

const char* CodeName(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "kInvalidArgument";
    case Code::kOutOfMemory:
      return "kOutOfMemory";
    case Code::kBadFormat:
      return "kBadFormat";
    case Code::kUnsupported:
      return "kUnsupported";
    case Code::kShape:
      return "kShape";
    default:
      return "another code";
  }
}

// The node's way from file to result, up to the first refusal.
Status RunAll(const OpCase& c) {
  ASSIGN_OR_RETURN(BuiltCase built, Build(c, KnownShapes::kAll));
  TRY(InferNode(built.graph, built.node()));
  return RunReference(built, built.inputs).status();
}

}  // namespace

Result<BuiltCase> Build(const OpCase& c, KnownShapes known) {
  const OpDef* op = FindOp(c.op, c.domain);
  if (op == nullptr) return Error(Code::kUnsupported, "operator ", c.op, " is unknown");
  BuiltCase built;
  std::vector<ValueId> inputs;
  AddInputs(c, known, built.graph, inputs);
  std::vector<ValueId> outputs;
  for (size_t i = 0; i < c.outputs.size(); ++i)
    outputs.push_back(c.outputs[i].present ? built.graph.AddValue(Cat("y", i)) : kNoValue);
  if (outputs.empty()) outputs.push_back(built.graph.AddValue("y0"));
  Node& node = built.graph.AddNode("node", op, inputs, outputs);
  node.attrs = c.attrs;
  if (op->upgrade != nullptr) TRY(op->upgrade(built.graph, node, c.opset));
  node.post_ops = c.post_ops;
  for (const ValueId id : node.inputs) {
    const Tensor* constant = built.graph.ConstantOf(id);
    built.constant.push_back(constant != nullptr);
    Tensor tensor;
    if (constant != nullptr) {
      tensor = *constant;
    } else if (id != kNoValue) {  // runtime inputs keep their places: upgrades only append
      tensor = c.inputs[built.inputs.size()].tensor;
    }
    built.inputs.push_back(tensor);
  }
  return built;
}

Result<std::vector<Tensor>> RunReference(const BuiltCase& built,
                                         const std::vector<Tensor>& inputs) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(input.valid() ? &input : nullptr);
  return EvaluateNode(built.graph, built.node(), pointers, kMaxOutputBytes);
}

Status ApplyPostOps(const Node& node, const std::vector<Tensor>& inputs, Tensor& result) {
  for (const PostOp& post_op : node.post_ops) {
    const bool adds = post_op.kind == PostOp::Kind::kAdd;
    for (int64_t i = 0; i < result.elements(); ++i) {
      float& x = result.mutable_data<float>()[i];
      x = adds ? x + inputs[static_cast<size_t>(post_op.input)].data<float>()[i]
               : static_cast<float>(PostOpValue(post_op, x));
    }
  }
  return Ok();
}

Status CheckError(const OpCase& c) {
  const Status status = RunAll(c);
  if (status.ok()) return Error(Code::kInternal, "was accepted, wanted ", c.error->code);
  if (c.error->code == CodeName(status.code()) &&
      status.message().find(c.error->text) != std::string::npos)
    return Ok();
  return Error(Code::kInternal, "found ", CodeName(status.code()), " '", status.message(),
               "', wanted ", c.error->code, " with '", c.error->text, "'");
}

Status CheckInference(const OpCase& c) {
  TRY(CheckInferred(c, KnownShapes::kAll).At("shapes known"));
  TRY(CheckInferred(c, KnownShapes::kRanks).At("ranks known"));
  return CheckInferred(c, KnownShapes::kNothing).At("nothing known");
}

Status CheckReference(const OpCase& c) {
  ASSIGN_OR_RETURN(const BuiltCase built, Build(c, KnownShapes::kAll));
  ASSIGN_OR_RETURN(const std::vector<Tensor> found, RunReference(built, built.inputs));
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    if (!c.outputs[i].expected) continue;
    TRY(CompareTensors(found[i], *c.outputs[i].expected, c.tolerance).At(Cat("output ", i)));
  }
  return Ok();
}

std::vector<std::string> RunCase(const OpCase& c) {
  std::vector<std::string> failures;
  const auto check = [&](const char* what, Status (*function)(const OpCase&)) {
    const Status status = function(c);
    if (!status.ok()) failures.push_back(Cat(what, ": ", status.message()));
  };
  if (c.error) {
    check("error", CheckError);
    return failures;
  }
  check("inference", CheckInference);
  check("reference", CheckReference);
  check("lowered", CheckLowered);
  check("quantized", CheckQuantized);
  check("file", CheckFile);
  return failures;
}

}  // namespace intmill::test
