// What the loops of products do with their sums, from what a product is to write.
#ifndef INTMILL_KERNELS_NATIVE_PRODUCT_FINISH_H
#define INTMILL_KERNELS_NATIVE_PRODUCT_FINISH_H

#include <cstdint>

#include "kernels/matmul.h"
#include "kernels/native/loops/product.h"

namespace intmill::native {

// Whether they can: an addend first, if any, and then only clamps; floats are not scaled any more.
bool FitsEpilogue(const Epilogue& e, DType out);

ProductAddend AddendOf(const Epilogue& e);
// `table` stays where it is; null: none.
ProductFinish FinishOf(const MatMul& m, const uint8_t* table);
// `finish`: of the same product.
ProductLoop LoopOf(const MatMul& m, const ProductFinish& finish, const ProductLoops& loops);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_PRODUCT_FINISH_H
