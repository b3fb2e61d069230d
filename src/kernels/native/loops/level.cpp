// One level's table of loops.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {

const Loops kLoops = {
    .level = INTMILL_LEVEL_NAME,
    .unary = kUnaryLoops,
    .binary = kBinaryLoops,
    .byte_binary = kByteBinaryLoops,
    .integer = &kIntegerLoops,
    .pool = &kPoolLoops,
    .depthwise = &kDepthwiseLoops,
    .quantize = QuantizeRow,
    .dequantize = DequantizeRow,
    .int16 = &kInt16Loops,
    .range = RangeOf,
    .weigh = WeighRow,
    .softmax = SoftmaxRow,
    .attention = &kAttentionLoops,
    .transpose_bytes = TransposeBytes,
    .transpose_words = TransposeWords,
};

}  // namespace intmill::native::INTMILL_LEVEL
