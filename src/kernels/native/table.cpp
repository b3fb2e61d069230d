// 8-bit to 8-bit through 256 entries: any function of one quantized number.
#include "kernels/native/table.h"

#include "base/parallel.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 16384;

class TableKernel : public Kernel {
 public:
  TableKernel(const ByteTable& table, int64_t elements) : table_(table), elements_(elements) {}

  std::string_view name() const override { return "native table"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* x = static_cast<const uint8_t*>(args.inputs[0]);
    auto* y = static_cast<uint8_t*>(args.outputs[0]);
    ParallelFor(elements_, kGrain, [&](int64_t begin, int64_t end) {
      const uint8_t* table = table_.data();
      for (int64_t i = begin; i < end; ++i) y[i] = table[x[i]];
    });
    return Ok();
  }

 private:
  const ByteTable table_;
  const int64_t elements_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeTable(const ByteTable& table, int64_t elements) {
  return MakeKernel<TableKernel>(table, elements);
}

}  // namespace intmill::native
