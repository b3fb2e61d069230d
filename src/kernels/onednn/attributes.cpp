// An Epilogue as the attributes of a oneDNN primitive and the arguments that go with them.
#include "kernels/onednn/attributes.h"

#include <cmath>

namespace intmill::onednn {
namespace {

using dnnl::algorithm;

dnnl::memory::desc AddendDesc(const EpilogueStep& step, const dnnl::memory::desc& output) {
  if (!step.shape.empty()) return PlainDesc(step.shape, step.dtype);
  return {output.get_dims(), TypeOf(step.dtype), output.get_strides()};
}

void Append(const EpilogueStep& step, const dnnl::memory::desc& output, dnnl::post_ops& ops) {
  switch (step.kind) {
    case EpilogueStep::Kind::kAdd:
      ops.append_binary(algorithm::binary_add, AddendDesc(step, output));
      return;
    case EpilogueStep::Kind::kClip:
      // relu where it is one: oneDNN has shorter code for it
      if (step.alpha == 0 && std::isinf(step.beta)) {
        ops.append_eltwise(algorithm::eltwise_relu, 0, 0);
      } else {
        ops.append_eltwise(algorithm::eltwise_clip, step.alpha, step.beta);
      }
      return;
    case EpilogueStep::Kind::kLeakyRelu:
      ops.append_eltwise(algorithm::eltwise_relu, step.alpha, 0);
      return;
    case EpilogueStep::Kind::kSigmoid:
      ops.append_eltwise(algorithm::eltwise_logistic, 0, 0);
      return;
    case EpilogueStep::Kind::kTanh:
      ops.append_eltwise(algorithm::eltwise_tanh, 0, 0);
      return;
    case EpilogueStep::Kind::kElu:
      ops.append_eltwise(algorithm::eltwise_elu, step.alpha, 0);
      return;
    case EpilogueStep::Kind::kHardSigmoid:
      ops.append_eltwise(algorithm::eltwise_hardsigmoid, step.alpha, step.beta);
      return;
    case EpilogueStep::Kind::kHardSwish:
      ops.append_eltwise(algorithm::eltwise_hardswish, 1.0f / 6, 0.5f);
      return;
    case EpilogueStep::Kind::kGelu:
      ops.append_eltwise(algorithm::eltwise_gelu_erf, 0, 0);
      return;
    case EpilogueStep::Kind::kSwish:
      ops.append_eltwise(algorithm::eltwise_swish, 1, 0);
      return;
  }
}

bool HasDivisor(const Epilogue& e, const AttributeContext& context) {
  return context.integers && e.divisor != 1;
}

bool HasZeroPoint(const Epilogue& e, const AttributeContext& context) {
  return context.integers && e.zero_point != 0;
}

}  // namespace

dnnl::primitive_attr AttributesOf(const Epilogue& epilogue, const AttributeContext& context) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (context.integers)
    attr.set_scales_mask(DNNL_ARG_WEIGHTS, epilogue.scales.size() == 1 ? 0 : context.scale_mask);
  if (context.source_scale_input >= 0) attr.set_scales_mask(DNNL_ARG_SRC, 0);
  if (context.source_zero_point != 0 || context.source_zero_point_input >= 0)
    attr.set_zero_points_mask(DNNL_ARG_SRC, 0);
  if (HasDivisor(epilogue, context)) attr.set_scales_mask(DNNL_ARG_DST, 0);
  if (HasZeroPoint(epilogue, context)) attr.set_zero_points_mask(DNNL_ARG_DST, 0);
  dnnl::post_ops ops;
  for (const EpilogueStep& step : epilogue.steps) Append(step, context.output, ops);
  attr.set_post_ops(ops);
  return attr;
}

Status BindAttributes(const Epilogue& epilogue, const AttributeContext& context,
                      Bindings& bindings) {
  if (context.integers)
    TRY(bindings.Constant(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                          PlainDesc({static_cast<int64_t>(epilogue.scales.size())}, DType::kF32),
                          epilogue.scales.data()));
  if (context.source_zero_point != 0)
    TRY(bindings.Constant(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, PlainDesc({1}, DType::kS32),
                          &context.source_zero_point));
  if (context.source_scale_input >= 0)
    bindings.Input(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, PlainDesc({1}, DType::kF32),
                   context.source_scale_input);
  if (context.source_zero_point_input >= 0)
    bindings.Input(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, PlainDesc({1}, DType::kS32),
                   context.source_zero_point_input);
  if (HasDivisor(epilogue, context))
    TRY(bindings.Constant(DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, PlainDesc({1}, DType::kF32),
                          &epilogue.divisor));
  if (HasZeroPoint(epilogue, context))
    TRY(bindings.Constant(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_DST, PlainDesc({1}, DType::kS32),
                          &epilogue.zero_point));
  for (size_t i = 0; i < epilogue.steps.size(); ++i) {
    const EpilogueStep& step = epilogue.steps[i];
    if (step.kind == EpilogueStep::Kind::kAdd)
      bindings.Input(DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1,
                     AddendDesc(step, context.output), step.input);
  }
  return Ok();
}

}  // namespace intmill::onednn
