// ReduceProd: the product over some dimensions.
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
        args, A{1}, [](A sum, A x) { return sum * x; }, [](A sum, int64_t) { return sum; });
  });
}

constexpr OpDef kOps[] = {{
    .name = "ReduceProd",
    .max_inputs = 2,
    .quant = QuantRule::kFloat,
    .upgrade = UpgradeReduce,
    .infer = InferReduce,
    .reference = Reference,
    .lower = LowerReduce<native::Reduction::kProd>,
}};

}  // namespace

std::span<const OpDef> ReduceProdOps() { return kOps; }

}  // namespace intmill::ops
