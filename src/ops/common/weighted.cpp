// Operators with constant weights: from operands with scales and post-ops to the kernels' terms.
#include "ops/common/weighted.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/common/byte_table.h"
#include "ops/common/post_ops.h"

namespace intmill::ops {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

const PostOp* TableOf(const Node& node) {
  const bool has_table =
      !node.post_ops.empty() && node.post_ops.back().kind == PostOp::Kind::kTable;
  return has_table ? &node.post_ops.back() : nullptr;
}

Result<EpilogueStep> StepOf(const PostOp& p) {
  EpilogueStep step{.alpha = p.alpha, .beta = p.beta, .input = p.input};
  using Kind = EpilogueStep::Kind;
  switch (p.kind) {
    case PostOp::Kind::kRelu:
      step.kind = Kind::kClip;
      step.alpha = 0;
      step.beta = kInfinity;
      return step;
    case PostOp::Kind::kClip:
      step.kind = Kind::kClip;
      return step;
    case PostOp::Kind::kLeakyRelu:
      step.kind = Kind::kLeakyRelu;
      return step;
    case PostOp::Kind::kSigmoid:
      step.kind = Kind::kSigmoid;
      return step;
    case PostOp::Kind::kTanh:
      step.kind = Kind::kTanh;
      return step;
    case PostOp::Kind::kElu:
      step.kind = Kind::kElu;
      return step;
    case PostOp::Kind::kHardSigmoid:
      step.kind = Kind::kHardSigmoid;
      return step;
    case PostOp::Kind::kHardSwish:
      step.kind = Kind::kHardSwish;
      return step;
    case PostOp::Kind::kGelu:
      step.kind = Kind::kGelu;
      return step;
    case PostOp::Kind::kSwish:
      step.kind = Kind::kSwish;
      return step;
    case PostOp::Kind::kAdd:
      step.kind = Kind::kAdd;
      return step;
    case PostOp::Kind::kTable:
      break;
  }
  return Error(Code::kUnsupported, "post-op ", PostOpName(p.kind));
}

// One unit of t in the epilogue, in real numbers, and what the addends' zero points make of zero.
struct Units {
  double unit = 1;
  bool has_nonlinear = false;
  bool has_scaled_addend = false;
};

// The addend's scale is the unit where there is one: oneDNN adds it as plain integers.
Result<Units> ChooseUnits(const LowerArgs& args, const std::vector<EpilogueStep>& steps) {
  Units units;
  for (const EpilogueStep& step : steps) {
    if (step.kind != EpilogueStep::Kind::kAdd) {
      units.has_nonlinear |= step.kind != EpilogueStep::Kind::kClip;
      continue;
    }
    const Operand& addend = args.in(step.input);
    if (addend.dtype == DType::kF32) continue;
    if (!IsScaledByte(addend) || units.has_scaled_addend)
      return Error(Code::kUnsupported, "post-op Add of type ", DTypeName(addend.dtype),
                   units.has_scaled_addend ? ", the second one" : "");
    units.unit = addend.qparams->scales[0];
    units.has_scaled_addend = true;
  }
  bool has_addend = false;
  for (const EpilogueStep& step : steps) has_addend |= step.kind == EpilogueStep::Kind::kAdd;
  if (units.has_scaled_addend && units.has_nonlinear)
    return Error(Code::kUnsupported, "post-op Add of 8-bit numbers together with a curve");
  if (units.has_scaled_addend)
    for (const EpilogueStep& step : steps)
      if (step.kind == EpilogueStep::Kind::kAdd && args.in(step.input).dtype == DType::kF32)
        return Error(Code::kUnsupported, "post-ops Add of 8-bit numbers and of floats");
  if (IsQuantized8(args.out(0).dtype) && !has_addend && !units.has_nonlinear)
    units.unit = args.out(0).qparams->scales[0];
  return units;
}

Status CheckAddends(const LowerArgs& args, const std::vector<EpilogueStep>& steps) {
  const Operand& out = args.out(0);
  for (const EpilogueStep& step : steps) {
    if (step.kind != EpilogueStep::Kind::kAdd) continue;
    if (!args.has(step.input)) return Error(Code::kInternal, "post-op Add without its operand");
    const Operand& addend = args.in(step.input);
    if (addend.shape != out.shape || addend.layout != out.layout)
      return Error(Code::kUnsupported, "post-op Add of shape ", ToString(addend.shape), " to ",
                   ToString(out.shape));
  }
  return Ok();
}

// Clamps that saturation does anyway are dropped from the end.
void DropImpliedClips(std::vector<EpilogueStep>& steps, DType dtype) {
  while (!steps.empty() && steps.back().kind == EpilogueStep::Kind::kClip &&
         steps.back().alpha <= static_cast<float>(MinOf(dtype)) &&
         steps.back().beta >= static_cast<float>(MaxOf(dtype)))
    steps.pop_back();
}

float ToUnits(float bound, double unit, double shift) {
  if (std::isinf(bound)) return bound;
  return static_cast<float>(bound / unit + shift);
}

// Scale and zero point of the output; a float's are 1 and 0.
struct OutputScale {
  double scale = 1;
  int32_t zero_point = 0;
};

OutputScale OutputScaleOf(const Operand& out) {
  if (!IsQuantized8(out.dtype)) return {};
  return {.scale = out.qparams->scales[0], .zero_point = out.qparams->zero_points[0]};
}

// Moves zero points into the bias, and bounds into units; see epilogue.h.
void FoldScales(const LowerArgs& args, const Units& units, Epilogue& e, std::vector<double>& bias) {
  const OutputScale out = OutputScaleOf(args.out(0));
  e.divisor = static_cast<float>(out.scale / units.unit);
  if (units.has_nonlinear) {
    e.zero_point = out.zero_point;
    return;
  }
  double shift = out.zero_point * (out.scale / units.unit);
  for (const EpilogueStep& step : e.steps)
    if (step.kind == EpilogueStep::Kind::kAdd && units.has_scaled_addend)
      shift -= args.in(step.input).qparams->zero_points[0];
  for (double& b : bias) b += shift;
  for (EpilogueStep& step : e.steps) {
    if (step.kind == EpilogueStep::Kind::kClip) {
      step.alpha = ToUnits(step.alpha, units.unit, shift);
      step.beta = ToUnits(step.beta, units.unit, shift);
    } else if (units.has_scaled_addend) {
      shift += args.in(step.input).qparams->zero_points[0];
    }
  }
  if (e.divisor == 1 && IsQuantized8(args.out(0).dtype))
    DropImpliedClips(e.steps, args.out(0).dtype);
}

bool AllZero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0; });
}

// w - z in s8, or nothing where one does not fit.
Result<std::optional<Tensor>> Shifted(const Tensor& w, const std::vector<int32_t>& zero_points,
                                      int64_t axis) {
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(DType::kS8, w.shape()));
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < w.rank(); ++i) inner *= w.dim(i);
  const int64_t channels = w.dim(axis);
  auto* to = out.mutable_data<int8_t>();
  for (int64_t i = 0; i < w.elements(); ++i) {
    const int32_t q =
        w.dtype() == DType::kU8 ? int32_t{w.data<uint8_t>()[i]} : int32_t{w.data<int8_t>()[i]};
    const int64_t channel = zero_points.size() == 1 ? 0 : i / inner % channels;
    const int32_t value = q - zero_points[static_cast<size_t>(channel)];
    if (value < -128 || value > 127) return std::optional<Tensor>();
    to[i] = static_cast<int8_t>(value);
  }
  return std::optional<Tensor>(std::move(out));
}

}  // namespace

Status CheckDepth(int64_t depth) {
  if (depth <= kMaxDepth) return Ok();
  return Error(Code::kUnsupported, "sums of ", depth,
               " 8-bit products may overflow 32 bits, at most ", kMaxDepth, " wanted");
}

Operand RoundedOutput(const LowerArgs& args) {
  Operand rounded = args.out(0);
  const PostOp* const table = TableOf(args.node);
  if (table == nullptr) return rounded;
  rounded.dtype = table->rounded->dtype;
  rounded.qparams = table->rounded.get();
  return rounded;
}

Result<Epilogue> MakeEpilogue(const LowerArgs& given, const RealSum& sum) {
  const Operand out = RoundedOutput(given);
  const LowerArgs args = {given.node, given.inputs, {&out, 1}, given.isa};
  const bool integers = !sum.scales.empty();
  const bool is_rounded = out.dtype == DType::kBf16 && args.in(0).dtype == DType::kBf16;
  if (out.dtype != DType::kF32 && !is_rounded && (!integers || !IsScaledByte(out)))
    return Error(Code::kUnsupported, "an output of type ", DTypeName(out.dtype),
                 " without a scale of its own");
  Epilogue e;
  for (const PostOp& p : args.node.post_ops) {
    if (&p == TableOf(args.node)) break;
    ASSIGN_OR_RETURN(EpilogueStep step, StepOf(p));
    e.steps.push_back(std::move(step));
  }
  TRY(CheckAddends(args, e.steps));
  for (EpilogueStep& step : e.steps)
    if (step.kind == EpilogueStep::Kind::kAdd) step.dtype = args.in(step.input).dtype;
  ASSIGN_OR_RETURN(const Units units, ChooseUnits(args, e.steps));
  std::vector<double> bias = sum.bias;
  if (bias.empty() && integers) bias.assign(static_cast<size_t>(sum.channels), 0);
  for (double& b : bias) b /= units.unit;
  for (const double scale : sum.scales) e.scales.push_back(static_cast<float>(scale / units.unit));
  if (integers) FoldScales(args, units, e, bias);
  if (!AllZero(bias)) e.bias.assign(bias.begin(), bias.end());
  if (const PostOp* table = TableOf(args.node)) {
    if (!integers || !IsScaledByte(given.out(0)))
      return Error(Code::kUnsupported, "a table between other than bytes");
    e.table = QuantizeAll(table->table, *given.out(0).qparams);
  }
  return e;
}

Result<Weights> ReadWeights(const Operand& weights, int64_t axis) {
  if (weights.constant == nullptr)
    return Error(Code::kUnsupported, "weights that are not constant");
  Weights w{.tensor = *weights.constant};
  if (weights.dtype == DType::kF32 || weights.dtype == DType::kBf16) return w;
  if (!IsQuantized8(weights.dtype) || weights.qparams == nullptr)
    return Error(Code::kUnsupported, "weights of type ", DTypeName(weights.dtype),
                 weights.qparams == nullptr ? " without scales" : "");
  const QParams& q = *weights.qparams;
  if (!q.per_tensor() && q.axis != axis)
    return Error(Code::kUnsupported, "weights with scales along axis ", q.axis, ", wanted ", axis);
  w.scales.assign(q.scales.begin(), q.scales.end());
  w.zero_points = q.zero_points;
  const bool has_zero_points =
      std::any_of(q.zero_points.begin(), q.zero_points.end(), [](int32_t z) { return z != 0; });
  if (has_zero_points || weights.dtype == DType::kU8) {
    ASSIGN_OR_RETURN(const std::optional<Tensor> shifted, Shifted(w.tensor, q.zero_points, axis));
    if (!shifted) return w;
    w.tensor = *shifted;
  }
  w.zero_points.clear();
  return w;
}

Status CheckWeightedTypes(const LowerArgs& args) {
  const Operand& x = args.in(0);
  const Operand& w = args.in(1);
  const DType out = args.out(0).dtype;
  if (x.dtype == DType::kF32 && w.dtype == DType::kF32 && out == DType::kF32) return Ok();
  if (x.dtype == DType::kBf16 && w.dtype == DType::kBf16 &&
      (out == DType::kF32 || out == DType::kBf16))
    return Ok();
  if (IsScaledByte(x) && IsQuantized8(w.dtype) && w.qparams != nullptr) return Ok();
  return Error(Code::kUnsupported, "element types ", DTypeName(x.dtype), " x ", DTypeName(w.dtype),
               " to ", DTypeName(out));
}

Result<RealSum> MakeRealSum(const LowerArgs& args, const Weights& weights, int64_t channels) {
  RealSum sum{.channels = channels};
  for (int64_t c = 0; !weights.scales.empty() && c < channels; ++c) {
    // Transposed convolutions in groups have one scale per channel of a group.
    const size_t i = static_cast<size_t>(c) % weights.scales.size();
    sum.scales.push_back(weights.scales[i] * args.in(0).qparams->scales[0]);
    if (weights.scales.size() == 1) break;
  }
  return sum;
}

Result<std::vector<double>> ReadBias(const Operand& bias) {
  if (bias.constant == nullptr) return Error(Code::kUnsupported, "a bias that is not constant");
  const Tensor& t = *bias.constant;
  std::vector<double> values;
  if (t.dtype() == DType::kF32) {
    values.assign(t.values<float>().begin(), t.values<float>().end());
    return values;
  }
  if (t.dtype() != DType::kS32 || bias.qparams == nullptr)
    return Error(Code::kUnsupported, "a bias of type ", DTypeName(t.dtype()),
                 bias.qparams == nullptr ? " without scales" : "");
  const QParams& q = *bias.qparams;
  for (int64_t i = 0; i < t.elements(); ++i) {
    const size_t at = q.per_tensor() ? 0 : static_cast<size_t>(i) % q.scales.size();
    values.push_back((static_cast<double>(t.data<int32_t>()[i]) - q.zero_points[at]) *
                     static_cast<double>(q.scales[at]));
  }
  return values;
}

double CountProducts(const Shape& elements, const Shape& window) {
  double count = 1;
  for (const int64_t n : elements) count *= static_cast<double>(n);
  for (const int64_t n : window) count *= static_cast<double>(n);
  return count;
}

}  // namespace intmill::ops
