// Which kernel computes a convolution.
#include "kernels/convolution.h"

#include <algorithm>

namespace intmill {

bool IsPointwise(const Convolution& c) {
  const auto is = [](int64_t wanted) { return [wanted](int64_t x) { return x == wanted; }; };
  return !c.transposed && c.groups == 1 && std::ranges::all_of(c.kernel, is(1)) &&
         std::ranges::all_of(c.pads, is(0));
}

MatMul AsMatMul(const Convolution& c) {
  MatMul m{.b_is_transposed = true,
           .a_dtype = c.in_dtype,
           .b_dtype = c.weight_dtype,
           .out_dtype = c.out_dtype,
           .a_zero_point = c.in_zero_point,
           .weights = c.weights,
           .weight_zero_points = c.weight_zero_points,
           .bias_input = c.bias_input,
           .epilogue = c.epilogue};
  m.a = {c.batch};
  m.a.insert(m.a.end(), c.out.begin(), c.out.end());
  m.out = m.a;
  m.a.push_back(c.in_channels);
  m.out.push_back(c.out_channels);
  m.b = Shape(m.a.size(), 1);
  m.b[m.b.size() - 2] = c.in_channels;
  m.b.back() = c.out_channels;
  if (c.in == c.out) return m;
  m.a_strides.assign(m.a.size(), 1);
  int64_t line = c.in_channels;
  for (size_t d = c.in.size(); d-- > 0; line *= c.in[d]) m.a_strides[d + 1] = line * c.strides[d];
  m.a_strides[0] = line;
  return m;
}

Result<std::unique_ptr<Kernel>> MakeConvolution(const Convolution& conv, Isa isa) {
  // oneDNN multiplies depthwise as if bytes were floats, and is slower for most.
  if (native::PrefersDepthwise(conv)) return native::MakeDepthwise(conv, isa);
  if (IsPointwise(conv)) {
    const MatMul product = AsMatMul(conv);
    if (native::PrefersProduct(product, isa)) return native::MakeProduct(product, isa);
  }
  if (native::PrefersImageProduct(conv, isa)) return native::MakeImageProduct(conv, isa);
  if (conv.epilogue.table) {
    Convolution plain = conv;
    plain.epilogue.table.reset();
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, MakeConvolution(plain, isa));
    const int64_t elements = conv.batch * conv.out_channels * NumElements(conv.out);
    return native::MakeWithTable(std::move(kernel), *conv.epilogue.table, elements, isa);
  }
  Result<std::unique_ptr<Kernel>> kernel = onednn::MakeConvolution(conv, isa);
  // Floats without oneDNN go to the reference; integers have an exact kernel of our own.
  if (kernel.ok() || !IsQuantized8(conv.in_dtype) || kernel.status().code() != Code::kUnsupported)
    return kernel;
  kernel = native::MakeDepthwise(conv, isa);
  if (kernel.ok() || kernel.status().code() != Code::kUnsupported) return kernel;
  return native::MakeConvolution(conv, isa);
}

}  // namespace intmill
