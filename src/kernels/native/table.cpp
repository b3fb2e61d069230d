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

}  // namespace

Result<std::unique_ptr<Kernel>> MakeTable(const ByteTable& table, int64_t elements, Isa isa) {
  return MakeKernel<TableKernel>(table, elements, TableLoopFor(isa));
}

}  // namespace intmill::native
