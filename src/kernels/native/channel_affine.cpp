// y = x * factor[c] + offset[c] over memory whose fastest dimension is the channel.
#include "kernels/native/channel_affine.h"

#include <algorithm>

#include "base/parallel.h"

namespace intmill::native {
namespace {

class ChannelAffineKernel : public Kernel {
 public:
  explicit ChannelAffineKernel(ChannelAffine affine) : affine_(std::move(affine)) {}

  std::string_view name() const override { return "native channel affine"; }
  int64_t packed_bytes() const override {
    return static_cast<int64_t>((affine_.factors.size() + affine_.offsets.size()) * sizeof(float));
  }
  bool packs_input(int64_t i) const override { return i >= 1 && i <= affine_.packed_inputs; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const auto channels = static_cast<int64_t>(affine_.factors.size());
    const float* factors = affine_.factors.data();
    const float* offsets = affine_.offsets.data();
    const int64_t grain = std::max<int64_t>(1, 8192 / channels);
    ParallelFor(affine_.pixels, grain, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const float* x = static_cast<const float*>(args.inputs[0]) + p * channels;
        float* y = static_cast<float*>(args.outputs[0]) + p * channels;
        for (int64_t c = 0; c < channels; ++c) {
          const float t = x[c] * factors[c] + offsets[c];
          y[c] = std::min(std::max(t, affine_.low), affine_.high);
        }
      }
    });
    return Ok();
  }

 private:
  const ChannelAffine affine_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeChannelAffine(ChannelAffine affine) {
  return MakeKernel<ChannelAffineKernel>(std::move(affine));
}

}  // namespace intmill::native
