// Matrix products of 8-bit numbers with exact sums on any instruction set and any zero points.
#include <algorithm>
#include <cstring>
#include <string>

#include "base/memory.h"
#include "kernels/convolution.h"
#include "kernels/matmul.h"
#include "kernels/native/epilogue_row.h"
#include "kernels/native/levels.h"
#include "kernels/native/tasks.h"
#include "kernels/packing_scope.h"

namespace intmill::native {
namespace {

constexpr int64_t kRows = 4;

// How the elements of an 8-bit matrix become 16-bit numbers without a zero point.
struct Widening {
  uint8_t flip = 0;
  int32_t zero_point = 0;
};

Widening WideningOf(DType dtype, int32_t zero_point) {
  if (dtype == DType::kS8) return {.flip = 0x80, .zero_point = zero_point + 128};
  return {.flip = 0, .zero_point = zero_point};
}

// Each b is turned into 16-bit columns first: it is read at run time, or one of a batch of
// constants.
class IntegerMatMul : public Kernel {
 public:
  IntegerMatMul(const MatMul& m, const Loops& loops, SharedBytes constant)
      : m_(m),
        constant_(std::move(constant)),
        batch_(NumElements(m.out) / (m.rows() * m.columns())),
        a_widening_(WideningOf(m.a_dtype, m.a_zero_point)),
        b_widening_(WideningOf(m.b_dtype, m.b_zero_point)),
        loops_(*loops.integer),
        name_(Cat("native int8 matmul:", loops.level)),
        constant_bytes_(constant_ == nullptr ? 0 : NumElements(m.b)),
        columns_bytes_((m.columns() * m.depth() * 2 + 63) / 64 * 64),
        tasks_((m.rows() + kRows - 1) / kRows, TaskBytes()) {}

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return columns_bytes_ + tasks_.scratch_bytes(); }
  int64_t packed_bytes() const override { return constant_bytes_; }
  bool packs_input(int64_t i) const override {
    return i == m_.bias_input || (i == 1 && constant_ != nullptr);
  }

  Status Run(const RunArgs& args, KernelState*) const override {
    auto* columns = reinterpret_cast<int16_t*>(args.scratch);
    int64_t widened = -1;
    for (int64_t i = 0; i < batch_; ++i) {
      const int64_t b = BatchOf(m_.b, i);
      if (b != widened) WidenColumns(args, b, columns);
      widened = b;
      const int64_t a = BatchOf(m_.a, i);
      tasks_.Run(args.scratch + columns_bytes_,
                 [&](int64_t begin, int64_t end, std::byte* scratch) {
                   for (int64_t block = begin; block < end; ++block)
                     RunRows(args, i, a, block * kRows, columns, scratch);
                 });
    }
    return Ok();
  }

 private:
  int64_t TaskBytes() const {
    return (kRows * m_.depth() * 2 + 63) / 64 * 64 + (kRows + 1) * m_.columns() * 4;
  }

  // Which matrix of an operand belongs to matrix i of the output.
  int64_t BatchOf(const Shape& operand, int64_t i) const {
    int64_t index = 0;
    int64_t stride = 1;
    for (size_t d = operand.size() - 2; d-- > 0;) {
      if (operand[d] != 1) index += i % m_.out[d] * stride;
      stride *= operand[d];
      i /= m_.out[d];
    }
    return index;
  }

  static int16_t Widened(uint8_t byte, const Widening& w) {
    return static_cast<int16_t>(static_cast<int32_t>(byte ^ w.flip) - w.zero_point);
  }

  void WidenColumns(const RunArgs& args, int64_t b, int16_t* columns) const {
    const int64_t n = m_.columns();
    const int64_t k = m_.depth();
    const void* matrices = constant_ == nullptr ? args.inputs[1] : constant_.get();
    const auto* x = static_cast<const uint8_t*>(matrices) + b * n * k;
    ParallelFor(n, 16, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; ++j) {
        if (m_.b_is_transposed) {
          loops_.widen(x + j * k, b_widening_.flip, b_widening_.zero_point, columns + j * k, k);
          continue;
        }
        for (int64_t i = 0; i < k; ++i) columns[j * k + i] = Widened(x[i * n + j], b_widening_);
      }
    });
  }

  void RunRows(const RunArgs& args, int64_t batch, int64_t a, int64_t first, const int16_t* columns,
               std::byte* scratch) const {
    const int64_t k = m_.depth();
    const int64_t n = m_.columns();
    const int64_t rows = std::min(kRows, m_.rows() - first);
    auto* widened = reinterpret_cast<int16_t*>(scratch);
    auto* sums = reinterpret_cast<int32_t*>(scratch + (kRows * k * 2 + 63) / 64 * 64);
    auto* row = reinterpret_cast<float*>(sums + kRows * n);
    const auto* x = static_cast<const uint8_t*>(args.inputs[0]) + a * m_.rows() * k;
    for (int64_t r = 0; r < rows; ++r) {
      if (!m_.a_is_transposed) {
        loops_.widen(x + (first + r) * k, a_widening_.flip, a_widening_.zero_point, widened + r * k,
                     k);
        continue;
      }
      for (int64_t i = 0; i < k; ++i)
        widened[r * k + i] = Widened(x[i * m_.rows() + first + r], a_widening_);
    }
    loops_.dot_rows(widened, rows, columns, n, k, sums, n);
    for (int64_t r = 0; r < rows; ++r)
      FinishRow(m_.epilogue, m_.out_dtype, sums + r * n, n, args,
                (batch * m_.rows() + first + r) * n, row);
  }

  const MatMul m_;
  const SharedBytes constant_;
  const int64_t batch_;
  const Widening a_widening_;
  const Widening b_widening_;
  const IntegerLoops& loops_;
  const std::string name_;
  const int64_t constant_bytes_;
  const int64_t columns_bytes_;
  const Tasks tasks_;
};

// Constant weights: rows of `a` are the pixels of an image with one line.
Result<std::unique_ptr<Kernel>> MakeWeighted(const MatMul& m, Isa isa) {
  const int64_t n = m.columns();
  const int64_t k = m.depth();
  std::vector<uint8_t> rows(static_cast<size_t>(n * k));
  const auto* w = static_cast<const uint8_t*>(m.weights);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < k; ++i)
      rows[static_cast<size_t>(j * k + i)] = m.b_is_transposed ? w[j * k + i] : w[i * n + j];
  const int64_t lines = NumElements(m.out) / n;
  const Convolution conv{.batch = 1,
                         .in_channels = k,
                         .out_channels = n,
                         .in = {lines},
                         .out = {lines},
                         .kernel = {1},
                         .strides = {1},
                         .dilations = {1},
                         .pads = {0},
                         .in_dtype = m.a_dtype,
                         .out_dtype = m.out_dtype,
                         .in_zero_point = m.a_zero_point,
                         .weights = rows.data(),
                         .weight_zero_points = m.weight_zero_points,
                         .weight_dtype = m.b_dtype,
                         .bias_input = m.bias_input,
                         .epilogue = m.epilogue};
  return native::MakeConvolution(conv, isa);
}

}  // namespace

Result<std::unique_ptr<Kernel>> MakeMatMul(const MatMul& matmul, Isa isa) {
  if (matmul.a_scale_input >= 0)
    return Error(Code::kUnsupported, "scales that only the data tells");
  MatMul m = matmul;
  TRY(CheckEpilogue(m.epilogue));
  SharedBytes constant;
  if (m.weights != nullptr) {
    if (!m.a_is_transposed && NumElements(m.b) == m.columns() * m.depth())
      return MakeWeighted(m, isa);
    if (m.weight_zero_points.size() > 1)
      return Error(Code::kUnsupported, "8-bit weights in batches with several zero points");
    if (!m.weight_zero_points.empty()) m.b_zero_point = m.weight_zero_points[0];
    const int64_t bytes = NumElements(m.b);
    ASSIGN_OR_RETURN(constant, PackOnce(bytes, [&](std::byte* memory) {
                       std::memcpy(memory, m.weights, static_cast<size_t>(bytes));
                       return Ok();
                     }));
  }
  return MakeKernel<IntegerMatMul>(m, LoopsFor(isa), std::move(constant));
}

}  // namespace intmill::native
