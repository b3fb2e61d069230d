// ReduceSumSquare: the sum of squares over some dimensions.
#include <type_traits>

#include "ops/common/reduce.h"

namespace intmill::ops {
namespace {

// Doubles for floats; integers wrap around.
template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, float>, double, uint64_t>;

Status Reference(const ReferenceArgs& args) {
  return ForType<float, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    using A = Sum<T>;
    return ReduceTyped<T, A>(
        args, A{0}, [](A sum, A x) { return sum + x * x; }, [](A sum, int64_t) { return sum; });
  });
}

constexpr OpDef kOps[] = {{
    .name = "ReduceSumSquare",
    .max_inputs = 2,
    .quant = QuantRule::kFloat,
    .upgrade = UpgradeReduce,
    .infer = InferReduce,
    .reference = Reference,
    .lower = LowerReduce<native::Reduction::kSumSquare>,
}};

}  // namespace

std::span<const OpDef> ReduceSumSquareOps() { return kOps; }

}  // namespace intmill::ops
