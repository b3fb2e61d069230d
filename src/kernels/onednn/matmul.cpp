// Matrix products by oneDNN.
#include "kernels/matmul.h"

#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "kernels/onednn/attributes.h"
#include "kernels/onednn/runtime.h"
#include "kernels/onednn/trial.h"
#include "kernels/packing_scope.h"

namespace intmill::onednn {
namespace {

using dnnl::memory;

memory::desc MatrixDesc(const Shape& shape, DType dtype, bool is_transposed) {
  if (!is_transposed) return PlainDesc(shape, dtype);
  Shape stored = shape;
  std::swap(stored[stored.size() - 2], stored.back());
  Shape strides = RowMajorStrides(stored);
  std::swap(strides[strides.size() - 2], strides.back());
  return {shape, TypeOf(dtype), strides};
}

bool AllOnes(std::span<const int64_t> dims) {
  return std::all_of(dims.begin(), dims.end(), [](int64_t d) { return d == 1; });
}

// A batch that only the rows of `a` have is more rows: one large product is faster than many small
// ones.
void JoinBatch(MatMul& m) {
  const size_t batch_dims = m.out.size() - 2;
  if (batch_dims == 0 || m.a_is_transposed || !m.a_strides.empty()) return;
  if (!AllOnes(std::span(m.b).first(batch_dims))) return;
  for (const EpilogueStep& step : m.epilogue.steps)
    if (!step.shape.empty()) return;
  const int64_t rows = NumElements(m.out) / m.columns();
  m.a = {rows, m.depth()};
  m.b = {m.depth(), m.columns()};
  m.out = {rows, m.columns()};
}

struct Descs {
  memory::desc a;
  memory::desc b;     // as given
  memory::desc bias;  // empty: none
  memory::desc out;
};

Result<std::unique_ptr<Kernel>> Finish(const dnnl::matmul::primitive_desc& desc, const MatMul& m,
                                       const AttributeContext& context, const Descs& d) {
  Bindings bindings;
  bindings.Input(DNNL_ARG_SRC, d.a, 0);
  bindings.Output(DNNL_ARG_DST, d.out, 0);
  if (m.weights == nullptr) {
    bindings.Input(DNNL_ARG_WEIGHTS, d.b, 1);
  } else {
    TRY(bindings.Packed(DNNL_ARG_WEIGHTS, desc.weights_desc(), d.b, m.weights, 1));
  }
  if (m.bias_input >= 0) bindings.PacksInput(m.bias_input);
  if (!m.epilogue.bias.empty())
    TRY(bindings.Constant(DNNL_ARG_BIAS, d.bias, m.epilogue.bias.data()));
  if (m.b_zero_point != 0)
    TRY(bindings.Constant(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_WEIGHTS, PlainDesc({1}, DType::kS32),
                          &m.b_zero_point));
  TRY(BindAttributes(m.epilogue, context, bindings));
  return MakePrimitiveKernel(dnnl::matmul(desc), desc.scratchpad_desc(), desc.impl_info_str(),
                             std::move(bindings));
}

Descs DescsOf(const MatMul& m) {
  Descs d;
  d.a = m.a_strides.empty() ? MatrixDesc(m.a, m.a_dtype, m.a_is_transposed)
                            : memory::desc(m.a, TypeOf(m.a_dtype), m.a_strides);
  d.b = MatrixDesc(m.b, m.b_dtype, m.b_is_transposed);
  d.out = PlainDesc(m.out, m.out_dtype);
  if (!m.epilogue.bias.empty()) {
    Shape bias(m.out.size(), 1);
    bias.back() = m.columns();
    d.bias = PlainDesc(bias, DType::kF32);
  }
  return d;
}

// The first of oneDNN's implementations that stands its trial.
Result<std::unique_ptr<Kernel>> Make(const MatMul& m) {
  const Descs d = DescsOf(m);
  const AttributeContext context{.scale_mask = 1 << (m.out.size() - 1),
                                 .source_zero_point = m.a_zero_point,
                                 .source_scale_input = m.a_scale_input,
                                 .source_zero_point_input = m.a_zero_point_input,
                                 .integers = IsQuantized8(m.a_dtype),
                                 .output = d.out};
  dnnl::primitive_attr attr = AttributesOf(m.epilogue, context);
  if (m.b_zero_point != 0) attr.set_zero_points_mask(DNNL_ARG_WEIGHTS, 0);
  const memory::desc b =
      m.weights == nullptr ? d.b : memory::desc(m.b, TypeOf(m.b_dtype), memory::format_tag::any);
  dnnl::matmul::primitive_desc desc(Engine(), d.a, b, d.bias, d.out, attr);
  Status trial = Error(Code::kUnsupported, "oneDNN has no code for it that can be trusted");
  const ChoiceOf choice;
  int64_t i = 0;
  do {
    if (choice.Skips(i)) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, Finish(desc, m, context, d));
    trial = choice.is_known() ? Ok() : TryOut(m, *kernel);
    if (!trial.ok()) continue;
    ChoiceOf::Take(i);
    return kernel;
  } while (trial.code() == Code::kUnsupported && desc.next_impl() && ++i > 0);
  return trial;
}

// oneDNN 3.7 splits long sums of floats among threads when there is little else to share, and then
// the bits depend on how many there are. Such a product is small enough for one thread.
bool SplitsSums(const MatMul& m) {
  constexpr int64_t kLongSum = 2048;
  constexpr int64_t kManyColumns = 4096;
  return !IsQuantized8(m.a_dtype) && (m.rows() == 1 || m.a_is_transposed) &&
         m.depth() >= kLongSum && m.columns() < kManyColumns;
}

}  // namespace

Result<std::unique_ptr<Kernel>> MakeMatMul(MatMul matmul, Isa isa) {
  TRY(CheckProducts(matmul.a_dtype, isa));
  // oneDNN only has its slow reference for u8 x u8.
  if (!matmul.weight_zero_points.empty() || matmul.b_dtype == DType::kU8)
    return Error(Code::kUnsupported, "oneDNN has no fast matrix product for u8 weights");
  TRY(CheckCodeGeneration());
  JoinBatch(matmul);
  std::optional<ThreadScope> one_thread;
  if (SplitsSums(matmul)) one_thread.emplace(1);
  return Guarded([&] { return Make(matmul); });
}

}  // namespace intmill::onednn
