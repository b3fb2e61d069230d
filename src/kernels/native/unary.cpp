// Functions of one float, element by element.
#include "kernels/native/unary.h"

#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 8192;

class UnaryKernel : public Kernel {
 public:
  UnaryKernel(const Unary& unary, int64_t elements, const Loops& loops)
      : unary_(unary),
        elements_(elements),
        loop_(loops.unary[static_cast<int>(unary.function)]),
        name_(Cat("native unary:", loops.level)) {}

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const float*>(args.inputs[0]);
    auto* y = static_cast<float*>(args.outputs[0]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(x + begin, y + begin, end - begin, unary_.alpha, unary_.beta);
    });
    return Ok();
  }

 private:
  const Unary unary_;
  const int64_t elements_;
  const UnaryLoop loop_;
  const std::string name_;
};

class RowUnaryKernel : public Kernel {
 public:
  RowUnaryKernel(RowUnary function, int64_t input_bytes, int64_t output_bytes, int64_t elements)
      : function_(function),
        input_bytes_(input_bytes),
        output_bytes_(output_bytes),
        elements_(elements) {}

  std::string_view name() const override { return "native unary"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const std::byte*>(args.inputs[0]);
    auto* y = static_cast<std::byte*>(args.outputs[0]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      function_(x + begin * input_bytes_, y + begin * output_bytes_, end - begin);
    });
    return Ok();
  }

 private:
  const RowUnary function_;
  const int64_t input_bytes_;
  const int64_t output_bytes_;
  const int64_t elements_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeUnary(const Unary& unary, int64_t elements, Isa isa) {
  return MakeKernel<UnaryKernel>(unary, elements, LoopsFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeRowUnary(RowUnary function, int64_t input_bytes,
                                             int64_t output_bytes, int64_t elements) {
  return MakeKernel<RowUnaryKernel>(function, input_bytes, output_bytes, elements);
}

RowUnary NarrowBf16For(Isa isa) { return LoopsFor(isa).narrow_bf16; }
RowUnary WidenBf16For(Isa isa) { return LoopsFor(isa).widen_bf16; }

}  // namespace intmill::native
