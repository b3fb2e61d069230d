// Functions of two tensors with broadcasting, element by element: floats, integers, 8-bit numbers
// with scales, and comparisons.
#include "kernels/native/binary.h"

#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "kernels/native/walk.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 8192;

// Runs row(a offset, b offset, output index, count) over the output, on all threads.
template <typename Row>
void ForRows(const Walk& walk, Row&& row) {
  ParallelFor(walk.elements(), kGrain, [&](int64_t begin, int64_t end) {
    walk.Rows(begin, end, [&](const Walk::Offsets& offsets, int64_t first, int64_t count) {
      row(offsets[0], offsets[1], first, count);
    });
  });
}

Walk WalkOf(const BinaryShape& s) { return Walk(s.shape, {s.a_strides, s.b_strides}); }

class FloatBinaryKernel : public Kernel {
 public:
  FloatBinaryKernel(const FloatBinary& binary, const BinaryShape& shape, const Loops& loops)
      : binary_(binary),
        walk_(WalkOf(shape)),
        loop_(loops.binary[static_cast<int>(binary.function)]),
        name_(Cat("native binary:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* a = static_cast<const float*>(args.inputs[0]);
    const auto* b = static_cast<const float*>(args.inputs[1]);
    auto* out = static_cast<float*>(args.outputs[0]);
    ForRows(walk_, [&](int64_t a_at, int64_t b_at, int64_t first, int64_t count) {
      const FloatPair in{a + a_at, walk_.row_strides()[0], b + b_at, walk_.row_strides()[1]};
      loop_(in, out + first, count, binary_.low, binary_.high);
    });
    return Ok();
  }

 private:
  const FloatBinary binary_;
  const Walk walk_;
  const BinaryLoop loop_;
  const std::string name_;
};

ByteScale InByteDomain(const ScaledByte& s) {
  const bool is_signed = s.dtype == DType::kS8;
  return {.flip = static_cast<uint8_t>(is_signed ? 0x80 : 0),
          .zero_point = s.zero_point + (is_signed ? 128 : 0),
          .scale = s.scale};
}

class ByteBinaryKernel : public Kernel {
 public:
  ByteBinaryKernel(const ByteBinary& how, BinaryFunction function, const BinaryShape& shape,
                   const Loops& loops)
      : how_(how),
        walk_(WalkOf(shape)),
        loop_(loops.byte_binary[static_cast<int>(function)]),
        name_(Cat("native binary int8:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* a = static_cast<const uint8_t*>(args.inputs[0]);
    const auto* b = static_cast<const uint8_t*>(args.inputs[1]);
    auto* out = static_cast<uint8_t*>(args.outputs[0]);
    ForRows(walk_, [&](int64_t a_at, int64_t b_at, int64_t first, int64_t count) {
      const BytePair in{a + a_at, walk_.row_strides()[0], b + b_at, walk_.row_strides()[1]};
      loop_(how_, in, out + first, count);
    });
    return Ok();
  }

 private:
  const ByteBinary how_;
  const Walk walk_;
  const ByteBinaryLoop loop_;
  const std::string name_;
};

class RowBinaryKernel : public Kernel {
 public:
  RowBinaryKernel(RowFunction function, int64_t input_bytes, int64_t output_bytes,
                  const BinaryShape& shape)
      : function_(function),
        input_bytes_(input_bytes),
        output_bytes_(output_bytes),
        walk_(WalkOf(shape)) {}

  std::string_view name() const override { return "native binary"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* a = static_cast<const std::byte*>(args.inputs[0]);
    const auto* b = static_cast<const std::byte*>(args.inputs[1]);
    auto* out = static_cast<std::byte*>(args.outputs[0]);
    ForRows(walk_, [&](int64_t a_at, int64_t b_at, int64_t first, int64_t count) {
      function_(a + a_at * input_bytes_, walk_.row_strides()[0], b + b_at * input_bytes_,
                walk_.row_strides()[1], out + first * output_bytes_, count);
    });
    return Ok();
  }

 private:
  const RowFunction function_;
  const int64_t input_bytes_;
  const int64_t output_bytes_;
  const Walk walk_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeBinary(const FloatBinary& binary, const BinaryShape& shape,
                                           Isa isa) {
  return MakeKernel<FloatBinaryKernel>(binary, shape, LoopsFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeByteBinary(const FloatBinary& binary, const ScaledByte& a,
                                               const ScaledByte& b, const ScaledByte& out,
                                               const BinaryShape& shape, Isa isa) {
  const ByteBinary how{.a = InByteDomain(a),
                       .b = InByteDomain(b),
                       .out = InByteDomain(out),
                       .low = binary.low,
                       .high = binary.high};
  return MakeKernel<ByteBinaryKernel>(how, binary.function, shape, LoopsFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeRowBinary(RowFunction function, int64_t input_bytes,
                                              int64_t output_bytes, const BinaryShape& shape) {
  return MakeKernel<RowBinaryKernel>(function, input_bytes, output_bytes, shape);
}

}  // namespace intmill::native
