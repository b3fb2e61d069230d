// Running a kernel on plain buffers, and random problems for kernels that must agree.
#include "unit/kernels/run.h"

#include <cmath>

#include "base/memory.h"
#include "base/parallel.h"
#include "tensor/shape.h"

namespace intmill::test {
namespace {

size_t SizeOf(DType dtype) { return static_cast<size_t>(BitsOf(dtype) / 8); }

int64_t Product(const std::vector<int64_t>& values) {
  int64_t product = 1;
  for (const int64_t v : values) product *= v;
  return product;
}

// Scales that spread sums over some hundred steps, so that saturation, clamps and rounding all
// happen.
Epilogue RandomEpilogue(Random& random, int64_t channels, int64_t depth, DType* out_dtype,
                        bool has_addend, int64_t addend_input) {
  Epilogue e;
  const float typical = 60.0f / (74.0f * 74.0f * std::sqrt(static_cast<float>(depth)));
  const int64_t scales = random.Chance() ? channels : 1;
  for (int64_t i = 0; i < scales; ++i) e.scales.push_back(typical * random.Float(0.3f, 1.3f));
  for (int64_t i = 0; random.Int(0, 3) > 0 && i < channels; ++i)
    e.bias.push_back(random.Float(-50, 50));
  e.bias.resize(e.bias.empty() ? 0 : static_cast<size_t>(channels), 1.5f);
  const DType types[] = {DType::kU8, DType::kS8, DType::kF32};
  *out_dtype = types[random.Int(0, 2)];
  if (random.Int(0, 3) == 0)
    e.steps.push_back({.kind = EpilogueStep::Kind::kClip, .alpha = -30.25f, .beta = 61.5f});
  if (has_addend)
    e.steps.push_back({.kind = EpilogueStep::Kind::kAdd,
                       .input = addend_input,
                       .dtype = random.Chance() ? DType::kU8 : DType::kS8});
  if (random.Int(0, 3) == 0)
    e.steps.push_back({.kind = EpilogueStep::Kind::kClip, .alpha = 0, .beta = 200});
  if (has_addend) e.divisor = random.Float(0.4f, 2.5f);
  return e;
}

int64_t RandomZeroPoint(Random& random, DType dtype) {
  if (random.Chance()) return 0;
  return dtype == DType::kU8 ? random.Int(1, 255) : random.Int(-128, 127);
}

std::string Join(const std::vector<int64_t>& values) { return ToString(values); }

}  // namespace

std::vector<Isa> Levels() {
  std::vector<Isa> levels = {Isa::kBaseline};
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512})
    if (DetectIsa() >= isa) levels.push_back(isa);
  levels.push_back(DetectIsa());
  return levels;
}

Bytes Run(const Kernel& kernel, const std::vector<const void*>& inputs, size_t output_bytes,
          int64_t threads) {
  const ThreadScope scope(threads);
  Bytes out(output_bytes, 0x5a);
  const Result<AlignedBytes> scratch = AllocateAligned(kernel.scratch_bytes());
  const Result<std::unique_ptr<KernelState>> state = kernel.MakeState();
  if (!scratch.ok() || !state.ok()) return {};
  void* outputs[] = {out.data()};
  // Whatever lies ahead, results do not know of it.
  const std::span<const std::byte> ahead = std::as_bytes(std::span(out));
  const Status status =
      kernel.Run({.inputs = inputs, .outputs = outputs, .scratch = scratch->get(), .ahead = ahead},
                 state->get());
  return status.ok() ? out : Bytes();
}

Bytes Random::Fill(int64_t n) {
  Bytes bytes(static_cast<size_t>(n));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(Int(0, 255));
  return bytes;
}

size_t ConvolutionProblem::output_bytes() const {
  return static_cast<size_t>(conv.batch * conv.out_channels * Product(conv.out)) *
         SizeOf(conv.out_dtype);
}

std::vector<const void*> ConvolutionProblem::inputs() const {
  return {input.data(), nullptr, nullptr, addend.data()};
}

namespace {

// Sizes of one more dimension. What padding takes from the larger side is at most all but one
// element.
void AddDimension(Random& random, int64_t kernel, int64_t dilation, int64_t longest,
                  Convolution& c) {
  c.kernel.push_back(kernel);
  c.strides.push_back(random.Int(1, 2));
  c.dilations.push_back(dilation);
  c.pads.push_back(random.Int(0, kernel - 1));
  const int64_t extent = (kernel - 1) * dilation + 1;
  const int64_t small = random.Int(1, longest);
  const int64_t large = (small - 1) * c.strides.back() + extent;
  const int64_t end_pad = random.Int(0, kernel - 1);
  const int64_t rest = std::max<int64_t>(1, large - c.pads.back() - end_pad);
  if (rest == 1 && large - c.pads.back() < 1) c.pads.back() = 0;
  c.in.push_back(c.transposed ? small : rest);
  c.out.push_back(c.transposed ? rest : small);
}

// Types, epilogue and data, when the shapes are known.
void AddNumbers(Random& random, ConvolutionProblem& p) {
  Convolution& c = p.conv;
  c.in_dtype = random.Chance() ? DType::kU8 : DType::kS8;
  c.in_zero_point = static_cast<int32_t>(RandomZeroPoint(random, c.in_dtype));
  c.weight_dtype = DType::kS8;
  const int64_t depth = c.in_channels / c.groups * Product(c.kernel);
  const bool has_addend = random.Int(0, 2) == 0;
  c.epilogue = RandomEpilogue(random, c.out_channels, depth, &c.out_dtype, has_addend, 3);
  p.weights = random.Fill(depth * c.out_channels);
  p.input = random.Fill(c.batch * c.in_channels * Product(c.in));
  p.addend = random.Fill(c.batch * c.out_channels * Product(c.out));
  c.weights = p.weights.data();
  p.text = Cat(c.transposed ? "transposed " : "", c.batch, "x", c.in_channels, "->", c.out_channels,
               " groups ", c.groups, " in ", Join(c.in), " out ", Join(c.out), " kernel ",
               Join(c.kernel), " strides ", Join(c.strides), " dilations ", Join(c.dilations),
               " pads ", Join(c.pads), " ", DTypeName(c.in_dtype), " zp ", c.in_zero_point, " to ",
               DTypeName(c.out_dtype), has_addend ? " with addend" : "");
}

}  // namespace

ConvolutionProblem RandomConvolution(Random& random) {
  ConvolutionProblem p;
  Convolution& c = p.conv;
  c.transposed = random.Int(0, 3) == 0;
  c.batch = random.Int(1, 2);
  c.groups = random.Chance() ? 1 : random.Int(2, 5);
  const int64_t in_per_group = random.Int(1, 3) == 1 ? 1 : random.Int(1, 40);
  c.in_channels = c.groups * in_per_group;
  c.out_channels = c.groups * (in_per_group == 1 ? 1 : random.Int(1, 40));
  const int64_t rank = random.Int(1, 3);
  for (int64_t d = 0; d < rank; ++d)
    AddDimension(random, random.Int(1, 4), random.Int(0, 3) == 0 ? 2 : 1, rank == 3 ? 5 : 9, c);
  AddNumbers(random, p);
  return p;
}

ConvolutionProblem RandomImage(Random& random) {
  ConvolutionProblem p;
  Convolution& c = p.conv;
  c.batch = random.Int(1, 3);
  c.in_channels = random.Chance() ? random.Int(1, 20) : 16 * random.Int(1, 6);
  c.out_channels = random.Int(1, 150);
  const int64_t rank = random.Int(1, 2);
  for (int64_t d = 0; d < rank; ++d)
    AddDimension(random, random.Int(1, 5), random.Int(0, 5) == 0 ? 2 : 1, 40, c);
  do AddNumbers(random, p);
  while (c.in_dtype != DType::kU8);
  return p;
}

ConvolutionProblem RandomPointwise(Random& random) {
  ConvolutionProblem p;
  Convolution& c = p.conv;
  c.batch = random.Int(1, 2);
  c.in_channels = 4 * random.Int(1, 20);
  c.out_channels = random.Int(1, 150);
  const int64_t rank = random.Int(1, 3);
  for (int64_t d = 0; d < rank; ++d) AddDimension(random, 1, 1, rank == 3 ? 5 : 9, c);
  AddNumbers(random, p);
  return p;
}

ConvolutionProblem RandomDepthwise(Random& random) {
  ConvolutionProblem p;
  Convolution& c = p.conv;
  c.batch = random.Int(1, 2);
  c.groups = c.in_channels = c.out_channels =
      random.Chance() ? random.Int(1, 70) : random.Int(1, 200);
  const int64_t side = random.Chance() ? 3 : 5;
  for (int d = 0; d < 2; ++d) AddDimension(random, side, 1, random.Int(0, 7) == 0 ? 60 : 9, c);
  AddNumbers(random, p);
  if (random.Chance()) c.epilogue.zero_point = static_cast<int32_t>(random.Int(-20, 120));
  return p;
}

size_t MatMulProblem::output_bytes() const {
  return static_cast<size_t>(Product(matmul.out)) * SizeOf(matmul.out_dtype);
}

std::vector<const void*> MatMulProblem::inputs() const {
  return {a.data(), b.data(), nullptr, addend.data()};
}

MatMulProblem RandomMatMul(Random& random, int64_t most_columns) {
  MatMulProblem p;
  MatMul& m = p.matmul;
  const int64_t batch = random.Chance() ? 1 : random.Int(2, 4);
  const bool batch_of_b = random.Chance();
  const int64_t rows = random.Chance() ? random.Int(1, 4) : random.Int(1, 70);
  const int64_t columns = random.Int(1, most_columns);
  const int64_t depth = random.Int(1, 200);
  m.a = {batch, rows, depth};
  m.b = {batch_of_b ? batch : 1, depth, columns};
  m.out = {batch, rows, columns};
  m.b_is_transposed = random.Chance();
  m.a_dtype = random.Chance() ? DType::kU8 : DType::kS8;
  m.a_zero_point = static_cast<int32_t>(RandomZeroPoint(random, m.a_dtype));
  m.b_dtype = DType::kS8;
  const bool constant = random.Chance();
  if (!constant) m.b_zero_point = static_cast<int32_t>(RandomZeroPoint(random, DType::kS8));
  const bool has_addend = random.Int(0, 2) == 0;
  m.epilogue = RandomEpilogue(random, columns, depth, &m.out_dtype, has_addend, 3);
  if (!constant) m.epilogue.scales.resize(1);
  p.weights = random.Fill(Product(m.b));
  p.a = random.Fill(Product(m.a));
  p.b = random.Fill(Product(m.b));
  p.addend = random.Fill(Product(m.out));
  if (constant) m.weights = p.weights.data();
  p.text =
      Cat(Join(m.a), " by ", Join(m.b), constant ? " constant" : "",
          m.b_is_transposed ? " transposed " : " ", DTypeName(m.a_dtype), " zp ", m.a_zero_point,
          " ", m.b_zero_point, " to ", DTypeName(m.out_dtype), has_addend ? " with addend" : "");
  return p;
}

}  // namespace intmill::test
