// Batched 2-D transposes: what turns row-major (N, C, D...) memory into channels-last and back.
#ifndef INTMILL_KERNELS_NATIVE_TRANSPOSE_H
#define INTMILL_KERNELS_NATIVE_TRANSPOSE_H

#include <cstdint>

namespace intmill {

// dst[b][j][i] = src[b][i][j] for i < rows, j < columns. Elements of 1, 2, 4 or 8 bytes.
void TransposeMatrices(const void* src, void* dst, int64_t batch, int64_t rows, int64_t columns,
                       int64_t element_bytes);

}  // namespace intmill

#endif  // INTMILL_KERNELS_NATIVE_TRANSPOSE_H
