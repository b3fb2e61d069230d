// Kernels against the reference, in float and, where the operator's rule allows, in int8.
#include "ops/compare.h"
#include "ops/harness.h"
#include "ops/run_kernel.h"
#include "tensor/quantize.h"

namespace intmill::test {
namespace {

std::string Describe(const OperandLayouts& layouts, Isa isa) {
  std::string text = Cat(IsaName(isa), ", layouts ");
  for (const Layout layout : layouts.inputs) text += layout == Layout::kPlain ? 'p' : 'l';
  text += '>';
  for (const Layout layout : layouts.outputs) text += layout == Layout::kPlain ? 'p' : 'l';
  return text;
}

Status CompareAll(const std::vector<Tensor>& found, const std::vector<Tensor>& wanted,
                  double tolerance) {
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i].valid())
      TRY(CompareTensors(found[i], wanted[i], tolerance).At(Cat("output ", i)));
  return Ok();
}

// Every layout and ISA; kUnsupported when no kernel exists.
Status CheckKernel(const KernelCase& k, const std::vector<Tensor>& wanted, double tolerance) {
  for (const OperandLayouts& layouts : AllowedLayouts(*k.node, k.inputs, k.constant, wanted)) {
    for (const Isa isa : IsaLevels()) {
      Result<std::vector<Tensor>> found = RunKernel(k, layouts, isa);
      if (!found.ok()) return std::move(found).status().At(Describe(layouts, isa));
      TRY(CompareAll(*found, wanted, tolerance).At(Describe(layouts, isa)));
    }
  }
  return Ok();
}

// A case that says there is no kernel must be right about it, too.
Status Judge(Status status, bool none_expected) {
  const bool none = status.code() == Code::kUnsupported;
  if (none_expected && none) return Ok();
  if (none_expected) return Error(Code::kInternal, "a kernel exists where the case expects none");
  return status;
}

QParamsPtr Share(QParams q) { return std::make_shared<const QParams>(std::move(q)); }

Result<Tensor> QuantizedLike(const Tensor& x, const QParamsPtr& q) {
  ASSIGN_OR_RETURN(Tensor out, Quantize(x, *q));
  out.set_qparams(q);
  return out;
}

// Parameters that cover several tensors together.
Result<QParamsPtr> ChooseTogether(const std::vector<const Tensor*>& tensors, DType dtype) {
  Range range;
  for (const Tensor* t : tensors) {
    for (const float x : t->values<float>()) {
      range.min = std::min(range.min, x);
      range.max = std::max(range.max, x);
    }
  }
  QParams q{.dtype = dtype, .scales = {1}, .zero_points = {0}};
  ChooseScale(range, dtype, false, &q.scales[0], &q.zero_points[0]);
  return Share(q);
}

// The quantized twin of a float case: inputs and output parameters by the operator's rule.
class Quantizer {
 public:
  Quantizer(const BuiltCase& built, DType dtype, bool own_scales)
      : op_(*built.node().op),
        node_(built.node()),
        constant_(built.constant),
        dtype_(dtype),
        own_scales_(own_scales) {}

  Status QuantizeInputs(std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
    if (op_.quant == QuantRule::kWeighted) return QuantizeWeighted(inputs);
    std::vector<const Tensor*> together;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (Quantizable(i, inputs[i])) together.push_back(&inputs[i]);
    if (op_.quant == QuantRule::kSameScale && !own_scales_) {
      for (const Tensor& output : outputs)
        if (output.valid() && output.dtype() == DType::kF32) together.push_back(&output);
      ASSIGN_OR_RETURN(shared_, ChooseTogether(together, dtype_));
    }
    for (size_t i = 0; i < inputs.size(); ++i)
      if (Quantizable(i, inputs[i])) TRY(QuantizeInput(inputs[i]));
    return QuantizeAddends(inputs);
  }

  Result<QParamsPtr> ForOutput(const Tensor& output) const {
    if (shared_ != nullptr) return shared_;
    if (op_.fixed_output != nullptr) {
      ASSIGN_OR_RETURN(QParams q, op_.fixed_output(node_, dtype_));
      return Share(std::move(q));
    }
    return ChooseTogether({&output}, dtype_);
  }

 private:
  bool Quantizable(size_t i, const Tensor& input) const {
    if (!input.valid() || input.dtype() != DType::kF32) return false;
    for (const PostOp& p : node_.post_ops)
      if (p.kind == PostOp::Kind::kAdd && static_cast<size_t>(p.input) == i) return false;
    if (op_.quant == QuantRule::kSameScale)
      return ((op_.same_scale_inputs >> std::min<size_t>(i, 63)) & 1) != 0;
    return op_.quant == QuantRule::kAllInputs || i == 0;
  }

  Status QuantizeInput(Tensor& input) {
    QParamsPtr q = shared_;
    if (q == nullptr) {
      ASSIGN_OR_RETURN(q, ChooseTogether({&input}, dtype_));
    }
    ASSIGN_OR_RETURN(input, QuantizedLike(input, q));
    return Ok();
  }

  // Tensors that a fused Add reads.
  Status QuantizeAddends(std::vector<Tensor>& inputs) {
    for (const PostOp& p : node_.post_ops)
      if (p.kind == PostOp::Kind::kAdd) TRY(QuantizeInput(inputs[static_cast<size_t>(p.input)]));
    return Ok();
  }

  Status QuantizeWeighted(std::vector<Tensor>& inputs) {
    TRY(QuantizeInput(inputs[0]));
    if (!constant_[1]) {  // an activation like the first
      TRY(QuantizeInput(inputs[1]));
      return QuantizeAddends(inputs);
    }
    const int64_t axis = op_.weight_axis(node_, inputs[1].rank());
    ASSIGN_OR_RETURN(
        QParams weights,
        ChooseQParams(inputs[1], {.dtype = DType::kS8, .symmetric = true, .axis = axis}));
    ASSIGN_OR_RETURN(inputs[1], QuantizedLike(inputs[1], Share(weights)));
    // A bias of another shape than one value per channel stays in float.
    const auto channels = static_cast<int64_t>(weights.scales.size());
    if (inputs.size() > 2 && inputs[2].valid() && !IsAddend(2) &&
        inputs[2].elements() == channels) {
      // scale of the bias = scale of the input * scale of the weights
      QParams bias = weights;
      bias.dtype = DType::kS32;
      bias.axis = inputs[2].rank() - 1;
      for (float& scale : bias.scales) scale *= inputs[0].qparams()->scales[0];
      ASSIGN_OR_RETURN(inputs[2], QuantizedLike(inputs[2], Share(bias)));
    }
    return QuantizeAddends(inputs);
  }

  bool IsAddend(int64_t i) const {
    for (const PostOp& p : node_.post_ops)
      if (p.kind == PostOp::Kind::kAdd && p.input == i) return true;
    return false;
  }

  const OpDef& op_;
  const Node& node_;
  const std::vector<bool>& constant_;
  DType dtype_;
  bool own_scales_;
  QParamsPtr shared_;
};

Result<std::vector<Tensor>> DequantizeAll(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> out = tensors;
  for (Tensor& t : out)
    if (t.valid() && t.qparams() != nullptr) {
      ASSIGN_OR_RETURN(t, Dequantize(t));
    }
  return out;
}

Result<std::vector<Tensor>> ReferenceWithPostOps(const BuiltCase& built,
                                                 const std::vector<Tensor>& inputs) {
  ASSIGN_OR_RETURN(std::vector<Tensor> wanted, RunReference(built, inputs));
  TRY(ApplyPostOps(built.node(), inputs, wanted[0]));
  return wanted;
}

double QuantizedSteps(const OpCase& c, const OpDef& op) {
  if (c.quantized_steps) return *c.quantized_steps;
  return op.quant == QuantRule::kWeighted ? 1 : 0;
}

Status CheckQuantizedAs(const OpCase& c, DType dtype) {
  ASSIGN_OR_RETURN(const BuiltCase built, Build(c, KnownShapes::kAll));
  ASSIGN_OR_RETURN(std::vector<Tensor> exact, ReferenceWithPostOps(built, built.inputs));
  Quantizer quantizer(built, dtype, c.own_scales);
  KernelCase k{.node = &built.node(), .inputs = built.inputs, .constant = built.constant};
  TRY(quantizer.QuantizeInputs(k.inputs, exact));
  ASSIGN_OR_RETURN(const std::vector<Tensor> real_inputs, DequantizeAll(k.inputs));
  ASSIGN_OR_RETURN(std::vector<Tensor> wanted, ReferenceWithPostOps(built, real_inputs));
  for (Tensor& output : wanted) {
    if (!output.valid() || output.dtype() != DType::kF32) continue;
    ASSIGN_OR_RETURN(const QParamsPtr q, quantizer.ForOutput(output));
    ASSIGN_OR_RETURN(output, QuantizedLike(output, q));
  }
  k.outputs = wanted;
  return CheckKernel(k, wanted, QuantizedSteps(c, *built.node().op));
}

bool IsFloatCase(const BuiltCase& built) {
  return !built.inputs.empty() && built.inputs[0].valid() && built.inputs[0].dtype() == DType::kF32;
}

}  // namespace

Status CheckLowered(const OpCase& c) {
  ASSIGN_OR_RETURN(const BuiltCase built, Build(c, KnownShapes::kAll));
  ASSIGN_OR_RETURN(const std::vector<Tensor> wanted, ReferenceWithPostOps(built, built.inputs));
  const KernelCase k{
      .node = &built.node(), .inputs = built.inputs, .constant = built.constant, .outputs = wanted};
  return Judge(CheckKernel(k, wanted, c.lowered_tolerance), c.reference_only);
}

Status CheckQuantized(const OpCase& c) {
  ASSIGN_OR_RETURN(const BuiltCase built, Build(c, KnownShapes::kAll));
  if (built.node().op->quant == QuantRule::kFloat || !IsFloatCase(built)) return Ok();
  // Kernels exist for these operands, but their numbers (NaN) have no integers to stand for them.
  if (c.float_only) return Ok();
  TRY(Judge(CheckQuantizedAs(c, DType::kU8), c.reference_only).At("u8"));
  return Judge(CheckQuantizedAs(c, DType::kS8), c.reference_only).At("s8");
}

}  // namespace intmill::test
