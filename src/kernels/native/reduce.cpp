// Reductions over some of a row-major tensor's dimensions.
#include "kernels/native/reduce.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/parallel.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrainElements = 8192;

// Neighbouring dimensions that are both reduced or both kept are one.
struct Dim {
  int64_t size = 1;
  int64_t stride = 1;
  bool reduced = false;
};

std::vector<Dim> Joined(const Reduce& r) {
  std::vector<Dim> dims;
  int64_t stride = 1;
  for (size_t i = r.shape.size(); i-- > 0;) {
    if (!dims.empty() && dims.back().reduced == r.reduced[i]) {
      dims.back().size *= r.shape[i];
    } else if (r.shape[i] != 1) {
      dims.push_back({.size = r.shape[i], .stride = stride, .reduced = r.reduced[i]});
    }
    stride *= r.shape[i];
  }
  return dims;  // fastest first
}

// Offsets of all combinations of the dimensions that are reduced, or of those that are kept.
std::vector<int64_t> Offsets(const std::vector<Dim>& dims, bool reduced) {
  std::vector<int64_t> offsets = {0};
  for (size_t d = dims.size(); d-- > 0;) {
    if (dims[d].reduced != reduced) continue;
    std::vector<int64_t> next;
    next.reserve(offsets.size() * static_cast<size_t>(dims[d].size));
    for (const int64_t offset : offsets)
      for (int64_t i = 0; i < dims[d].size; ++i) next.push_back(offset + i * dims[d].stride);
    offsets = std::move(next);
  }
  return offsets;
}

// Sums of floats are double, so that their order hardly shows.
double Start(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMax:
      return -std::numeric_limits<double>::infinity();
    case Reduction::kMin:
      return std::numeric_limits<double>::infinity();
    case Reduction::kProd:
      return 1;
    default:
      return 0;
  }
}

template <Reduction kReduction>
double Join(double a, double x) {
  if constexpr (kReduction == Reduction::kMax) return x > a ? x : a;
  if constexpr (kReduction == Reduction::kMin) return x < a ? x : a;
  if constexpr (kReduction == Reduction::kProd) return a * x;
  if constexpr (kReduction == Reduction::kL1) return a + std::fabs(x);
  if constexpr (kReduction == Reduction::kL2 || kReduction == Reduction::kSumSquare)
    return a + x * x;
  return a + x;
}

class ReduceKernel : public Kernel {
 public:
  explicit ReduceKernel(const Reduce& reduce) : reduce_(reduce), name_("native reduce") {
    std::vector<Dim> dims = Joined(reduce);
    // The fastest dimension is walked in a loop of its own.
    if (!dims.empty()) {
      row_ = dims.front();
      dims.erase(dims.begin());
    }
    kept_ = Offsets(dims, false);
    reduced_ = Offsets(dims, true);
    count_ = static_cast<int64_t>(reduced_.size()) * (row_.reduced ? row_.size : 1);
  }

  std::string_view name() const override { return name_; }

  Status Run(const RunArgs& args, KernelState*) const override {
    if (reduce_.dtype == DType::kF32) return RunTyped<float>(args);
    if (reduce_.dtype == DType::kU8) return RunTyped<uint8_t>(args);
    return RunTyped<int8_t>(args);
  }

 private:
  template <typename T>
  Status RunTyped(const RunArgs& args) const {
    switch (reduce_.reduction) {
      case Reduction::kMax:
        return RunAll<T, Reduction::kMax>(args);
      case Reduction::kMin:
        return RunAll<T, Reduction::kMin>(args);
      case Reduction::kProd:
        return RunAll<T, Reduction::kProd>(args);
      case Reduction::kL1:
        return RunAll<T, Reduction::kL1>(args);
      case Reduction::kL2:
        return RunAll<T, Reduction::kL2>(args);
      case Reduction::kSumSquare:
        return RunAll<T, Reduction::kSumSquare>(args);
      default:
        return RunAll<T, Reduction::kSum>(args);
    }
  }

  template <typename T, Reduction kReduction>
  Status RunAll(const RunArgs& args) const {
    const T* x = static_cast<const T*>(args.inputs[0]);
    T* y = static_cast<T*>(args.outputs[0]);
    const int64_t columns = row_.reduced ? 1 : row_.size;
    const auto outputs = static_cast<int64_t>(kept_.size()) * columns;
    const int64_t grain = std::max<int64_t>(1, kGrainElements / std::max<int64_t>(count_, 1));
    ParallelFor(outputs, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* base = x + kept_[static_cast<size_t>(i / columns)] + i % columns;
        double sum = Start(kReduction);
        const int64_t row = row_.reduced ? row_.size : 1;
        for (const int64_t offset : reduced_)
          for (int64_t k = 0; k < row; ++k)
            sum = Join<kReduction>(sum, static_cast<double>(base[offset + k]));
        y[i] = Finish<T>(sum);
      }
    });
    return Ok();
  }

  template <typename T>
  T Finish(double sum) const {
    const auto n = static_cast<double>(count_);
    if constexpr (std::is_same_v<T, float>) {
      if (reduce_.reduction == Reduction::kMean) sum /= n;
      if (reduce_.reduction == Reduction::kL2) sum = std::sqrt(sum);
      return std::min(std::max(static_cast<float>(sum), reduce_.low), reduce_.high);
    } else {
      if (reduce_.reduction == Reduction::kMax || reduce_.reduction == Reduction::kMin)
        return static_cast<T>(sum);
      const double exact = sum - n * reduce_.in_zero_point;  // an integer
      float t = static_cast<float>(exact) * reduce_.factor;
      t = std::min(std::max(t, reduce_.low), reduce_.high);
      return static_cast<T>(
          std::clamp<float>(std::rint(t) + static_cast<float>(reduce_.out_zero_point),
                            std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    }
  }

  const Reduce reduce_;
  const std::string name_;
  Dim row_{.size = 1, .stride = 1, .reduced = false};
  std::vector<int64_t> kept_;
  std::vector<int64_t> reduced_;
  int64_t count_ = 1;  // elements that become one
};

class ArgReduceKernel : public Kernel {
 public:
  explicit ArgReduceKernel(const ArgReduce& reduce) : reduce_(reduce) {}

  std::string_view name() const override {
    return reduce_.is_max ? "native argmax" : "native argmin";
  }

  Status Run(const RunArgs& args, KernelState*) const override {
    switch (reduce_.dtype) {
      case DType::kF32:
        return RunTyped<float>(args);
      case DType::kU8:
        return RunTyped<uint8_t>(args);
      case DType::kS8:
        return RunTyped<int8_t>(args);
      case DType::kS32:
        return RunTyped<int32_t>(args);
      default:
        return RunTyped<int64_t>(args);
    }
  }

 private:
  template <typename T>
  bool Replaces(T x, T best) const {
    if (reduce_.last && x == best) return true;
    return reduce_.is_max ? x > best : x < best;
  }

  template <typename T>
  Status RunTyped(const RunArgs& args) const {
    const T* x = static_cast<const T*>(args.inputs[0]);
    auto* y = static_cast<int64_t*>(args.outputs[0]);
    ParallelFor(reduce_.outer * reduce_.inner, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* row = x + i / reduce_.inner * reduce_.count * reduce_.inner + i % reduce_.inner;
        int64_t best = 0;
        for (int64_t k = 1; k < reduce_.count; ++k)
          if (Replaces(row[k * reduce_.inner], row[best * reduce_.inner])) best = k;
        y[i] = best;
      }
    });
    return Ok();
  }

  const ArgReduce reduce_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeReduce(const Reduce& reduce) {
  const bool is_byte = IsQuantized8(reduce.dtype);
  const bool byte_works =
      reduce.reduction == Reduction::kSum || reduce.reduction == Reduction::kMean ||
      reduce.reduction == Reduction::kMax || reduce.reduction == Reduction::kMin;
  if (reduce.dtype != DType::kF32 && !(is_byte && byte_works))
    return Error(Code::kUnsupported, "reducing elements of type ", DTypeName(reduce.dtype));
  return MakeKernel<ReduceKernel>(reduce);
}

Result<std::unique_ptr<Kernel>> MakeArgReduce(const ArgReduce& reduce) {
  return MakeKernel<ArgReduceKernel>(reduce);
}

}  // namespace intmill::native
