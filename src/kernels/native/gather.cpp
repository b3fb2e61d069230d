// Slices of one axis by indices known when the model runs.
#include "kernels/native/gather.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrainBytes = 16384;

class GatherKernel : public Kernel {
 public:
  explicit GatherKernel(const GatherShape& shape) : shape_(shape) {}

  std::string_view name() const override { return "native gather"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto* data = static_cast<const std::byte*>(args.inputs[0]);
    const void* indices = args.inputs[1];
    auto* out = static_cast<std::byte*>(args.outputs[0]);
    if (shape_.outer * shape_.inner_bytes == 0) return Ok();
    // All are looked at before any is used: no thread has an error to report.
    for (int64_t i = 0; i < shape_.indices; ++i) {
      const int64_t index = IndexAt(indices, i);
      if (index < -shape_.axis || index >= shape_.axis)
        return Error(Code::kInvalidArgument, "index ", index, " is outside an axis of ",
                     shape_.axis);
    }
    const int64_t bytes = shape_.inner_bytes;
    const int64_t grain = std::max<int64_t>(1, kGrainBytes / bytes);
    ParallelFor(shape_.outer * shape_.indices, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t index = IndexAt(indices, i % shape_.indices);
        if (index < 0) index += shape_.axis;
        const int64_t slice = i / shape_.indices * shape_.axis + index;
        std::memcpy(out + i * bytes, data + slice * bytes, static_cast<size_t>(bytes));
      }
    });
    return Ok();
  }

 private:
  int64_t IndexAt(const void* indices, int64_t i) const {
    return shape_.long_indices ? static_cast<const int64_t*>(indices)[i]
                               : static_cast<const int32_t*>(indices)[i];
  }

  const GatherShape shape_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeGather(const GatherShape& shape) {
  return MakeKernel<GatherKernel>(shape);
}

}  // namespace intmill::native
