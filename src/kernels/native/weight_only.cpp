// Products with weight-only integers: panels of 64 columns, packed once, times rows of floats
// (loops/weight_only.cpp), and what follows the sums.
#include "kernels/native/weight_only.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "kernels/native/weight_levels.h"
#include "kernels/packing_scope.h"
#include "tensor/nibble.h"

namespace intmill::native {
namespace {

// Up to as many rows, widening in registers again and again costs less than a table of floats.
constexpr int64_t kFewRows = 16;
// Multiply-adds that are worth another thread.
constexpr int64_t kGrain = 100'000;

bool Is4Bits(DType dtype) { return dtype == DType::kS4 || dtype == DType::kU4; }

// What is added to a stored integer so that it is signed: the zero point moves with it.
int32_t Shift(DType dtype) {
  return dtype == DType::kU8 ? -128 : dtype == DType::kU4 ? -kWeightCenter : 0;
}

int32_t IntegerAt(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::kS8:
      return t.data<int8_t>()[i];
    case DType::kU8:
      return t.data<uint8_t>()[i];
    default:
      return static_cast<int32_t>(NibbleAt(t.data<uint8_t>(), i, t.dtype() == DType::kS4));
  }
}

// Sixteen bytes a register of scales are wasted where columns are missing; they have scale 0.
class PackedWeights {
 public:
  static Result<PackedWeights> Pack(const WeightOnlyMatrix& m) {
    PackedWeights p;
    p.depth_ = (m.depth + kPanelStep - 1) / kPanelStep * kPanelStep;
    p.block_ = m.blocks() == 1 ? p.depth_ : m.block;
    p.blocks_ = m.blocks();
    p.panels_ = (m.columns + kPanelColumns - 1) / kPanelColumns;
    p.is_4_bits_ = Is4Bits(m.weights.dtype());
    const int32_t shift = Shift(m.weights.dtype());
    p.has_zero_points_ =
        m.zero_points.empty()
            ? shift != 0
            : std::ranges::any_of(m.zero_points, [&](int32_t z) { return z + shift != 0; });
    ASSIGN_OR_RETURN(p.memory_, PackOnce(p.bytes(), [&](std::byte* memory) {
                       ParallelFor(p.panels_, 1, [&](int64_t begin, int64_t end) {
                         for (int64_t i = begin; i < end; ++i) p.PackPanel(m, i, memory);
                       });
                       return Ok();
                     }));
    return p;
  }

  int64_t depth() const { return depth_; }
  int64_t block() const { return block_; }
  int64_t blocks() const { return blocks_; }
  int64_t panels() const { return panels_; }
  bool is_4_bits() const { return is_4_bits_; }
  bool has_zero_points() const { return has_zero_points_; }
  int64_t bytes() const { return panels_ * PanelBytes(); }

  WeightPanel Panel(int64_t i) const {
    const std::byte* at = memory_.get() + i * PanelBytes();
    const auto* scales = reinterpret_cast<const float*>(at + WeightBytes());
    return {.weights = reinterpret_cast<const uint8_t*>(at),
            .scales = scales,
            .zero_points = has_zero_points_ ? scales + blocks_ * kPanelColumns : nullptr,
            .depth = depth_,
            .block = block_};
  }

 private:
  int64_t WeightBytes() const { return depth_ * kPanelColumns / (is_4_bits_ ? 2 : 1); }
  int64_t PanelBytes() const {
    return WeightBytes() + blocks_ * kPanelColumns * 4 * (has_zero_points_ ? 2 : 1);
  }

  void PackPanel(const WeightOnlyMatrix& m, int64_t panel, std::byte* memory) const {
    std::byte* const at = memory + panel * PanelBytes();
    auto* const weights = reinterpret_cast<uint8_t*>(at);
    auto* const scales = reinterpret_cast<float*>(at + WeightBytes());
    float* const zero_points = scales + blocks_ * kPanelColumns;
    const int64_t first = panel * kPanelColumns;
    const int64_t count = std::min(kPanelColumns, m.columns - first);
    const int32_t shift = Shift(m.weights.dtype());
    for (int64_t b = 0; b < blocks_; ++b) {
      for (int64_t n = 0; n < count; ++n) {
        const auto from = static_cast<size_t>(b * m.columns + first + n);
        scales[b * kPanelColumns + n] = m.scales[from];
        if (has_zero_points_)
          zero_points[b * kPanelColumns + n] =
              static_cast<float>(shift + (m.zero_points.empty() ? 0 : m.zero_points[from]));
      }
    }
    for (int64_t k = 0; k < m.depth; ++k) {
      for (int64_t n = 0; n < count; ++n) {
        const int64_t from =
            m.is_transposed ? (first + n) * m.depth + k : k * m.columns + first + n;
        const int32_t q = IntegerAt(m.weights, from) + shift;
        if (!is_4_bits_) {
          weights[k * kPanelColumns + n] = static_cast<uint8_t>(q);
          continue;
        }
        uint8_t& both = weights[(k / 8 * kPanelColumns + n) * 4 + k % 8 / 2];
        both |= static_cast<uint8_t>((q + kWeightCenter) << (k % 2 * 4));
      }
    }
  }

  int64_t depth_ = 0;
  int64_t block_ = 0;
  int64_t blocks_ = 0;
  int64_t panels_ = 0;
  bool is_4_bits_ = false;
  bool has_zero_points_ = false;
  SharedBytes memory_;
};

// A step of the epilogue as one of the loops over numbers.
struct StepLoop {
  UnaryLoop loop = nullptr;  // null: adds the operand `input`
  float alpha = 0;
  float beta = 0;
  int64_t input = 0;
};

UnaryFunction FunctionOf(EpilogueStep::Kind kind) {
  using Kind = EpilogueStep::Kind;
  switch (kind) {
    case Kind::kAdd:
    case Kind::kClip:
      return UnaryFunction::kClip;
    case Kind::kLeakyRelu:
      return UnaryFunction::kLeakyRelu;
    case Kind::kSigmoid:
      return UnaryFunction::kSigmoid;
    case Kind::kTanh:
      return UnaryFunction::kTanh;
    case Kind::kElu:
      return UnaryFunction::kElu;
    case Kind::kHardSigmoid:
      return UnaryFunction::kHardSigmoid;
    case Kind::kHardSwish:
      return UnaryFunction::kHardSwish;
    case Kind::kGelu:
      return UnaryFunction::kGelu;
    case Kind::kSwish:
      return UnaryFunction::kSwish;
  }
  return UnaryFunction::kIdentity;
}

Result<std::vector<StepLoop>> StepsOf(const Epilogue& e, Isa isa) {
  std::vector<StepLoop> steps;
  for (const EpilogueStep& step : e.steps) {
    if (step.kind != EpilogueStep::Kind::kAdd) {
      steps.push_back(
          {LoopsFor(isa).unary[static_cast<size_t>(FunctionOf(step.kind))], step.alpha, step.beta});
      continue;
    }
    if (!step.shape.empty() || step.dtype != DType::kF32)
      return Error(Code::kUnsupported, "an added operand that is not f32 like the output");
    steps.push_back({.input = step.input});
  }
  return steps;
}

class WeightOnlyKernel : public Kernel {
 public:
  WeightOnlyKernel(const WeightOnlyProduct& p, PackedWeights packed, std::vector<StepLoop> steps,
                   const WeightLoops& loops)
      : rows_(p.rows),
        columns_(p.matrix.columns),
        depth_(p.matrix.depth),
        bias_input_(p.bias_input),
        bias_(p.epilogue.bias),
        steps_(std::move(steps)),
        packed_(std::move(packed)),
        few_(loops.few[packed_.is_4_bits() ? 0 : 1]),
        many_(loops.many[packed_.is_4_bits() ? 0 : 1]),
        name_(Cat("native int", packed_.is_4_bits() ? 4 : 8, " weight-only product:", loops.name)) {
  }

  std::string_view name() const override { return name_; }
  int64_t packed_bytes() const override { return packed_.bytes(); }
  bool packs_input(int64_t i) const override { return (i >= 1 && i <= 3) || i == bias_input_; }
  int64_t scratch_bytes() const override { return (PaddedFloats() + SumFloats()) * 4; }

  Status Run(const RunArgs& args, KernelState*) const override {
    WeightRows rows{.a = static_cast<const float*>(args.inputs[0]), .a_step = depth_};
    auto* const scratch = reinterpret_cast<float*>(args.scratch);
    if (PaddedFloats() > 0) {
      Pad(rows.a, scratch);
      rows.a = scratch;
      rows.a_step = packed_.depth();
    }
    if (SumFloats() > 0) {
      Sum(rows, scratch + PaddedFloats());
      rows.sums = scratch + PaddedFloats();
      rows.sums_step = packed_.blocks();
    }
    const bool is_few = rows_ <= kFewRows;
    const int64_t chunk = is_few ? rows_ : std::min(rows_, kPanelRows);
    const int64_t chunks = (rows_ + chunk - 1) / chunk;
    const int64_t products = chunk * depth_ * kPanelColumns;
    ParallelFor(chunks * packed_.panels(), std::max<int64_t>(1, kGrain / products),
                [&](int64_t begin, int64_t end) {
                  for (int64_t i = begin; i < end; ++i)
                    RunOne(args, rows, i / packed_.panels() * chunk, chunk, i % packed_.panels());
                });
    return Ok();
  }

 private:
  int64_t PaddedFloats() const { return packed_.depth() == depth_ ? 0 : rows_ * packed_.depth(); }
  bool NeedsSums() const { return packed_.has_zero_points() && rows_ <= kFewRows; }
  int64_t SumFloats() const { return NeedsSums() ? rows_ * packed_.blocks() : 0; }

  void Pad(const float* a, float* to) const {
    for (int64_t r = 0; r < rows_; ++r, a += depth_, to += packed_.depth()) {
      std::memcpy(to, a, static_cast<size_t>(depth_) * sizeof(float));
      std::fill(to + depth_, to + packed_.depth(), 0.0f);
    }
  }

  void Sum(const WeightRows& rows, float* sums) const {
    for (int64_t r = 0; r < rows_; ++r) {
      const float* a = rows.a + r * rows.a_step;
      for (int64_t begin = 0; begin < packed_.depth(); begin += packed_.block()) {
        double sum = 0;
        const int64_t end = std::min(begin + packed_.block(), packed_.depth());
        for (int64_t k = begin; k < end; ++k) sum += static_cast<double>(a[k]);
        *sums++ = static_cast<float>(sum);
      }
    }
  }

  void RunOne(const RunArgs& args, WeightRows rows, int64_t first, int64_t chunk,
              int64_t panel) const {
    alignas(64) float out[kPanelRows * kPanelColumns];
    rows.a += first * rows.a_step;
    rows.rows = std::min(chunk, rows_ - first);
    rows.out = out;
    (rows_ <= kFewRows ? few_ : many_)(rows, packed_.Panel(panel));
    for (int64_t r = 0; r < rows.rows; ++r)
      Finish(args, out + r * kPanelColumns, first + r, panel * kPanelColumns);
  }

  void Finish(const RunArgs& args, float* row, int64_t r, int64_t column) const {
    const int64_t n = std::min(kPanelColumns, columns_ - column);
    const int64_t offset = r * columns_ + column;
    if (!bias_.empty())
      for (int64_t i = 0; i < n; ++i) row[i] += bias_[static_cast<size_t>(column + i)];
    for (const StepLoop& step : steps_) {
      if (step.loop != nullptr) {
        step.loop(row, row, n, step.alpha, step.beta);
        continue;
      }
      const auto* addend =
          static_cast<const float*>(args.inputs[static_cast<size_t>(step.input)]) + offset;
      for (int64_t i = 0; i < n; ++i) row[i] += addend[i];
    }
    std::memcpy(static_cast<float*>(args.outputs[0]) + offset, row,
                static_cast<size_t>(n) * sizeof(float));
  }

  const int64_t rows_;
  const int64_t columns_;
  const int64_t depth_;
  const int64_t bias_input_;
  const std::vector<float> bias_;
  const std::vector<StepLoop> steps_;
  const PackedWeights packed_;
  const WeightLoop few_;
  const WeightLoop many_;
  const std::string name_;
};

class WeightOnlyGatherKernel : public Kernel {
 public:
  explicit WeightOnlyGatherKernel(WeightOnlyGather g)
      : g_(std::move(g)),
        rows_(g_.weights.dim(0)),
        columns_(g_.weights.dim(1)),
        blocks_((columns_ + g_.block - 1) / g_.block),
        name_(Cat("native int", BitsOf(g_.weights.dtype()), " gather")) {}

  std::string_view name() const override { return name_; }
  bool packs_input(int64_t i) const override { return i != g_.indices_input; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const void* indices = args.inputs[static_cast<size_t>(g_.indices_input)];
    for (int64_t i = 0; i < g_.indices; ++i) {
      const int64_t index = IndexAt(indices, i);
      if (index < -rows_ || index >= rows_)
        return Error(Code::kInvalidArgument, "index ", index, " is outside an axis of ", rows_);
    }
    auto* const out = static_cast<float*>(args.outputs[0]);
    ParallelFor(g_.indices, std::max<int64_t>(1, 4096 / columns_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t index = IndexAt(indices, i);
        WidenRow(index < 0 ? index + rows_ : index, out + i * columns_);
      }
    });
    return Ok();
  }

 private:
  int64_t IndexAt(const void* indices, int64_t i) const {
    return g_.long_indices ? static_cast<const int64_t*>(indices)[i]
                           : static_cast<const int32_t*>(indices)[i];
  }

  void WidenRow(int64_t row, float* out) const {
    for (int64_t c = 0; c < columns_; ++c) {
      const auto at = static_cast<size_t>(row * blocks_ + c / g_.block);
      const int32_t zero_point = g_.zero_points.empty() ? 0 : g_.zero_points[at];
      out[c] = static_cast<float>(IntegerAt(g_.weights, row * columns_ + c) - zero_point) *
               g_.scales[at];
    }
  }

  const WeightOnlyGather g_;
  const int64_t rows_;
  const int64_t columns_;
  const int64_t blocks_;
  const std::string name_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeWeightOnlyProduct(const WeightOnlyProduct& p, Isa isa) {
  const WeightOnlyMatrix& m = p.matrix;
  if (m.blocks() > 1 && m.block % kPanelStep != 0)
    return Error(Code::kUnsupported, "blocks of ", m.block, " weights, a multiple of ", kPanelStep,
                 " wanted");
  if (p.rows * m.depth * m.columns == 0) return Error(Code::kUnsupported, "no elements");
  ASSIGN_OR_RETURN(std::vector<StepLoop> steps, StepsOf(p.epilogue, isa));
  ASSIGN_OR_RETURN(PackedWeights packed, PackedWeights::Pack(m));
  return MakeKernel<WeightOnlyKernel>(p, std::move(packed), std::move(steps), WeightLoopsFor(isa));
}

Result<Tensor> Widened(const WeightOnlyMatrix& m, bool keep_order) {
  const bool transposed = keep_order && m.is_transposed;
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(DType::kF32, transposed ? Shape{m.columns, m.depth}
                                                                    : Shape{m.depth, m.columns}));
  auto* const to = out.mutable_data<float>();
  for (int64_t k = 0; k < m.depth; ++k) {
    for (int64_t n = 0; n < m.columns; ++n) {
      const auto at = static_cast<size_t>(k / m.block * m.columns + n);
      const int64_t from = m.is_transposed ? n * m.depth + k : k * m.columns + n;
      const int32_t zero_point = m.zero_points.empty() ? 0 : m.zero_points[at];
      to[transposed ? n * m.depth + k : k * m.columns + n] =
          static_cast<float>(IntegerAt(m.weights, from) - zero_point) * m.scales[at];
    }
  }
  return out;
}

Result<std::unique_ptr<Kernel>> MakeWeightOnlyGather(WeightOnlyGather gather) {
  if (NumElements(gather.weights.shape()) == 0) return Error(Code::kUnsupported, "no elements");
  return MakeKernel<WeightOnlyGatherKernel>(std::move(gather));
}

}  // namespace intmill::native
