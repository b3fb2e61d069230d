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
    .narrow_bf16 = NarrowBf16,
    .widen_bf16 = WidenBf16,
    .range = RangeOf,
    .weigh = WeighRow,
    .softmax = SoftmaxRow,
    .layer_norm = LayerNormRow,
    .fetch = FetchLines,
    .attention = &kAttentionLoops,
    .transpose_bytes = TransposeBytes,
    .transpose_words = TransposeWords,
};

}  // namespace intmill::native::INTMILL_LEVEL
