// Convolutions and transposed convolutions by oneDNN.
#include "kernels/convolution.h"

#include <algorithm>
#include <string_view>

#include "kernels/matmul.h"
#include "kernels/onednn/attributes.h"
#include "kernels/onednn/runtime.h"
#include "kernels/onednn/trial.h"
#include "kernels/packing_scope.h"

namespace intmill::onednn {
namespace {

using dnnl::memory;

Shape ImageShape(int64_t batch, int64_t channels, const std::vector<int64_t>& spatial) {
  Shape shape = {batch, channels};
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  return shape;
}

// oneDNN's order of weight dimensions: groups (when there are any), out, in, spatial.
Shape WeightShape(const Convolution& c) {
  Shape shape;
  if (c.groups > 1) shape.push_back(c.groups);
  shape.push_back(c.out_channels / c.groups);
  shape.push_back(c.in_channels / c.groups);
  shape.insert(shape.end(), c.kernel.begin(), c.kernel.end());
  return shape;
}

// How ONNX's weights lie. Transposed ones are stored in, out / groups, spatial.
memory::desc GivenWeights(const Convolution& c) {
  const Shape shape = WeightShape(c);
  if (!c.transposed) return PlainDesc(shape, c.weight_dtype);
  Shape strides = RowMajorStrides(shape);
  const size_t out = c.groups > 1 ? 1 : 0;
  int64_t area = 1;
  for (const int64_t k : c.kernel) area *= k;
  strides[out] = area;
  strides[out + 1] = c.out_channels / c.groups * area;
  return {shape, TypeOf(c.weight_dtype), strides};
}

struct Geometry {
  memory::dims dilations;  // oneDNN's: 0 is dense
  memory::dims pads_begin;
  memory::dims pads_end;
};

// The padding at the end for which oneDNN computes the output's size; negative where the last
// elements of the input are not used.
Geometry GeometryOf(const Convolution& c) {
  Geometry g;
  for (size_t i = 0; i < c.in.size(); ++i) {
    const int64_t extent = (c.kernel[i] - 1) * c.dilations[i] + 1;
    const int64_t small = c.transposed ? c.in[i] : c.out[i];
    const int64_t large = c.transposed ? c.out[i] : c.in[i];
    g.dilations.push_back(c.dilations[i] - 1);
    g.pads_begin.push_back(c.pads[i]);
    g.pads_end.push_back((small - 1) * c.strides[i] + extent - large - c.pads[i]);
  }
  return g;
}

struct Descs {
  memory::desc in;
  memory::desc weights;
  memory::desc bias;  // empty: none
  memory::desc out;
};

Descs DescsOf(const Convolution& c) {
  Descs d;
  d.in = ChannelsLastDesc(ImageShape(c.batch, c.in_channels, c.in), c.in_dtype);
  d.out = ChannelsLastDesc(ImageShape(c.batch, c.out_channels, c.out), c.out_dtype);
  d.weights = memory::desc(WeightShape(c), TypeOf(c.weight_dtype), memory::format_tag::any);
  if (!c.epilogue.bias.empty()) d.bias = PlainDesc({c.out_channels}, DType::kF32);
  return d;
}

template <typename Primitive>
Result<std::unique_ptr<Kernel>> Finish(const typename Primitive::primitive_desc& desc,
                                       const Convolution& c, const AttributeContext& context,
                                       const Descs& d) {
  Bindings bindings;
  bindings.Input(DNNL_ARG_SRC, d.in, 0);
  bindings.Output(DNNL_ARG_DST, d.out, 0);
  TRY(bindings.Packed(DNNL_ARG_WEIGHTS, desc.weights_desc(), GivenWeights(c), c.weights, 1));
  if (c.bias_input >= 0) bindings.PacksInput(c.bias_input);
  if (!c.epilogue.bias.empty())
    TRY(bindings.Constant(DNNL_ARG_BIAS, d.bias, c.epilogue.bias.data()));
  TRY(BindAttributes(c.epilogue, context, bindings));
  return MakePrimitiveKernel(Primitive(desc), desc.scratchpad_desc(), desc.impl_info_str(),
                             std::move(bindings));
}

// 3.7.2's AVX2 code adds wrong numbers to the channels of a group that do not fill a register: too
// few for every trial to meet.
bool IsKnownWrong(const Convolution& c, std::string_view implementation) {
  if (c.out_channels / c.groups % 8 == 0 || implementation.find("avx2") == std::string_view::npos)
    return false;
  return std::ranges::any_of(c.epilogue.steps, [](const EpilogueStep& step) {
    return step.kind == EpilogueStep::Kind::kAdd;
  });
}

// The first of oneDNN's implementations that stands its trial.
template <typename Primitive>
Result<std::unique_ptr<Kernel>> FirstRight(typename Primitive::primitive_desc desc,
                                           const Convolution& c, const AttributeContext& context,
                                           const Descs& d) {
  Status trial = Error(Code::kUnsupported, "oneDNN has no code for it that can be trusted");
  const ChoiceOf choice;
  int64_t i = 0;
  do {
    if (choice.Skips(i) || IsKnownWrong(c, desc.impl_info_str())) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, Finish<Primitive>(desc, c, context, d));
    trial = choice.is_known() ? Ok() : TryOut(c, *kernel);
    if (!trial.ok()) continue;
    ChoiceOf::Take(i);
    return kernel;
  } while (trial.code() == Code::kUnsupported && desc.next_impl() && ++i > 0);
  return trial;
}

Result<std::unique_ptr<Kernel>> Make(const Convolution& c) {
  const bool integers = IsQuantized8(c.in_dtype);
  const Descs d = DescsOf(c);
  const AttributeContext context{.scale_mask = c.groups > 1 ? 3 : 1,
                                 .source_zero_point = c.in_zero_point,
                                 .integers = integers,
                                 .output = d.out};
  const dnnl::primitive_attr attr = AttributesOf(c.epilogue, context);
  const Geometry g = GeometryOf(c);
  constexpr auto kKind = dnnl::prop_kind::forward_inference;
  if (c.transposed) {
    const dnnl::deconvolution_forward::primitive_desc desc(
        Engine(), kKind, dnnl::algorithm::deconvolution_direct, d.in, d.weights, d.bias, d.out,
        c.strides, g.dilations, g.pads_begin, g.pads_end, attr);
    return FirstRight<dnnl::deconvolution_forward>(desc, c, context, d);
  }
  const dnnl::convolution_forward::primitive_desc desc(
      Engine(), kKind, dnnl::algorithm::convolution_direct, d.in, d.weights, d.bias, d.out,
      c.strides, g.dilations, g.pads_begin, g.pads_end, attr);
  return FirstRight<dnnl::convolution_forward>(desc, c, context, d);
}

}  // namespace

Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa) {
  TRY(CheckProducts(conv.in_dtype, isa));
  if (!conv.weight_zero_points.empty() || conv.weight_dtype == DType::kU8)
    return Error(Code::kUnsupported, "oneDNN has no convolution for weights with zero points");
  // With caches of no size 3.7.2 divides by zero when it plans such convolutions.
  if (IsPointwise(conv) && !CachesAreDescribed()) return onednn::MakeMatMul(AsMatMul(conv), isa);
  TRY(CheckCodeGeneration());
  return Guarded([&] { return Make(conv); });
}

}  // namespace intmill::onednn
