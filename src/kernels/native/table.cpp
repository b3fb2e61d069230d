// 8-bit to 8-bit through 256 entries: any function of one quantized number.
#include "kernels/native/table.h"

#include "base/parallel.h"
#include "kernels/native/levels.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 16384;

class TableKernel : public Kernel {
 public:
  TableKernel(const ByteTable& table, int64_t elements, TableLoop loop)
      : table_(table), elements_(elements), loop_(loop) {}

  std::string_view name() const override { return "native table"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const uint8_t*>(args.inputs[0]);
    auto* y = static_cast<uint8_t*>(args.outputs[0]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(table_.data(), x + begin, y + begin, end - begin);
    });
    return Ok();
  }

 private:
  const ByteTable table_;
  const int64_t elements_;
  const TableLoop loop_;
};

// A kernel that cannot look up what it writes, and the table behind it: what threads just wrote is
// in the nearest caches that they share.
class KernelWithTable : public Kernel {
 public:
  KernelWithTable(std::unique_ptr<Kernel> kernel, const ByteTable& table, int64_t elements,
                  TableLoop loop)
      : kernel_(std::move(kernel)), table_(table), elements_(elements), loop_(loop) {}

  std::string_view name() const override { return kernel_->name(); }
  int64_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
  int64_t packed_bytes() const override { return kernel_->packed_bytes(); }
  bool packs_input(int64_t i) const override { return kernel_->packs_input(i); }
  std::span<const std::byte> first_read() const override { return kernel_->first_read(); }
  bool starts_regions() const override { return kernel_->starts_regions(); }
  Result<std::unique_ptr<KernelState>> MakeState() const override { return kernel_->MakeState(); }

  Status Run(const RunArgs& args, KernelState* state) const override {
    TRY(kernel_->Run(args, state));
    auto* y = static_cast<uint8_t*>(args.outputs[0]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(table_.data(), y + begin, y + begin, end - begin);
    });
    return Ok();
  }

 private:
  const std::unique_ptr<Kernel> kernel_;
  const ByteTable table_;
  const int64_t elements_;
  const TableLoop loop_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeTable(const ByteTable& table, int64_t elements, Isa isa) {
  return MakeKernel<TableKernel>(table, elements, TableLoopFor(isa));
}

Result<std::unique_ptr<Kernel>> MakeWithTable(std::unique_ptr<Kernel> kernel,
                                              const ByteTable& table, int64_t elements, Isa isa) {
  return MakeKernel<KernelWithTable>(std::move(kernel), table, elements, TableLoopFor(isa));
}

}  // namespace intmill::native
