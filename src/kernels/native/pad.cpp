// Dense output whose elements come from an input, or are one constant.
#include "kernels/native/pad.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrainElements = 16384;

// Neighbours in the fastest axis that are copied together, or filled (offset -1).
struct Stretch {
  int64_t offset = 0;
  int64_t count = 0;
};

std::vector<Stretch> RunsOf(const std::vector<int64_t>& offsets) {
  std::vector<Stretch> runs;
  for (const int64_t offset : offsets) {
    const int64_t expected = runs.empty()               ? -2
                             : runs.back().offset == -1 ? -1
                                                        : runs.back().offset + runs.back().count;
    if (offset == expected) {
      ++runs.back().count;
    } else {
      runs.push_back({offset, 1});
    }
  }
  return runs;
}

template <typename T>
class PadKernel : public Kernel {
 public:
  explicit PadKernel(const PadSources& sources)
      : outer_(sources.offsets), fill_(static_cast<T>(sources.fill)) {
    if (!outer_.empty()) {
      row_length_ = static_cast<int64_t>(outer_.back().size());
      runs_ = RunsOf(outer_.back());
      outer_.pop_back();
    } else {
      runs_ = {{0, 1}};
    }
    for (const std::vector<int64_t>& axis : outer_) rows_ *= static_cast<int64_t>(axis.size());
  }

  std::string_view name() const override { return "native pad"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    const T* in = static_cast<const T*>(args.inputs[0]);
    T* out = static_cast<T*>(args.outputs[0]);
    const int64_t grain = std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, row_length_));
    ParallelFor(rows_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) WriteRow(in, row, out + row * row_length_);
    });
    return Ok();
  }

 private:
  void WriteRow(const T* in, int64_t row, T* out) const {
    const int64_t start = RowOffset(row);
    if (start < 0) {
      std::fill_n(out, row_length_, fill_);
      return;
    }
    for (const Stretch& run : runs_) {
      if (run.offset < 0) {
        std::fill_n(out, run.count, fill_);
      } else {
        std::memcpy(out, in + start + run.offset, static_cast<size_t>(run.count) * sizeof(T));
      }
      out += run.count;
    }
  }

  int64_t RowOffset(int64_t row) const {
    int64_t offset = 0;
    for (size_t d = outer_.size(); d-- > 0;) {
      const auto size = static_cast<int64_t>(outer_[d].size());
      const int64_t here = outer_[d][static_cast<size_t>(row % size)];
      if (here < 0) return -1;
      offset += here;
      row /= size;
    }
    return offset;
  }

  std::vector<std::vector<int64_t>> outer_;
  std::vector<Stretch> runs_;
  int64_t row_length_ = 1;
  int64_t rows_ = 1;
  const T fill_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakePad(const PadSources& sources, int64_t element_bits) {
  switch (element_bits) {
    case 8:
      return MakeKernel<PadKernel<uint8_t>>(sources);
    case 16:
      return MakeKernel<PadKernel<uint16_t>>(sources);
    case 32:
      return MakeKernel<PadKernel<uint32_t>>(sources);
    case 64:
      return MakeKernel<PadKernel<uint64_t>>(sources);
    default:
      return Error(Code::kUnsupported, "padding elements of ", element_bits, " bits");
  }
}

}  // namespace intmill::native
