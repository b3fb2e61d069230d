// Post-ops by definition, for the steps that run their reference.
#ifndef INTMILL_ENGINE_POST_OPS_H
#define INTMILL_ENGINE_POST_OPS_H

#include <cstdint>

#include "ir/graph.h"

namespace intmill {

// values[i] = op(values[i]); for kAdd values[i] += other[i], which has as many elements.
void ApplyPostOp(const PostOp& op, float* values, int64_t n, const float* other);

}  // namespace intmill

#endif  // INTMILL_ENGINE_POST_OPS_H
