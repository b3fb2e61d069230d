// Identity: the input itself.
#include "ops/common/movement.h"
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

constexpr OpDef kOps[] = {{
    .name = "Identity",
    .traits = kMovesData | kAlias,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .infer = InferSame,
    .reference = AliasReference,
    .lower = LowerAlias,
}};

}  // namespace

std::span<const OpDef> IdentityOps() { return kOps; }

}  // namespace intmill::ops
