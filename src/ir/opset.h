// Which of ONNX's definitions of its operators a graph in memory follows.
#ifndef INTMILL_IR_OPSET_H
#define INTMILL_IR_OPSET_H

#include <cstdint>

namespace intmill {

// The opset whose form nodes have; OpDef::upgrade makes it of older ones.
inline constexpr int64_t kOpset = 22;

}  // namespace intmill

#endif  // INTMILL_IR_OPSET_H
