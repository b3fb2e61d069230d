// Choosing between two tensors, element by element, with broadcasting.
#include "kernels/native/select.h"

#include "base/parallel.h"
#include "kernels/native/walk.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrain = 8192;

template <typename T>
class SelectKernel : public Kernel {
 public:
  explicit SelectKernel(const SelectShape& shape) : walk_(shape.shape, shape.strides) {}

  std::string_view name() const override { return "native select"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* condition = static_cast<const bool*>(args.inputs[0]);
    const auto* yes = static_cast<const T*>(args.inputs[1]);
    const auto* no = static_cast<const T*>(args.inputs[2]);
    auto* out = static_cast<T*>(args.outputs[0]);
    const Walk::Offsets& step = walk_.row_strides();
    ParallelFor(walk_.elements(), kGrain, [&](int64_t begin, int64_t end) {
      walk_.Rows(begin, end, [&](const Walk::Offsets& at, int64_t first, int64_t count) {
        for (int64_t i = 0; i < count; ++i)
          out[first + i] =
              condition[at[0] + i * step[0]] ? yes[at[1] + i * step[1]] : no[at[2] + i * step[2]];
      });
    });
    return Ok();
  }

 private:
  const Walk walk_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeSelect(const SelectShape& shape, int64_t element_bits) {
  switch (element_bits) {
    case 8:
      return MakeKernel<SelectKernel<uint8_t>>(shape);
    case 16:
      return MakeKernel<SelectKernel<uint16_t>>(shape);
    case 32:
      return MakeKernel<SelectKernel<uint32_t>>(shape);
    case 64:
      return MakeKernel<SelectKernel<uint64_t>>(shape);
    default:
      return Error(Code::kUnsupported, "choosing elements of ", element_bits, " bits");
  }
}

}  // namespace intmill::native
