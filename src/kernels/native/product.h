// Products of u8 rows, however they come about, and constant s8.
#ifndef INTMILL_KERNELS_NATIVE_PRODUCT_H
#define INTMILL_KERNELS_NATIVE_PRODUCT_H

#include <memory>
#include <string_view>

#include "base/status.h"
#include "kernels/kernel.h"
#include "kernels/matmul.h"
#include "kernels/native/left_rows.h"
#include "kernels/native/levels.h"
#include "kernels/native/packed_product.h"

namespace intmill::native {

// Whether loops take a product of these types, with this epilogue. Null: they do not.
const Products* ProductsThatFit(const MatMul& m, Isa isa, int64_t part_depth);

// `name`: of the kernel, before its level.
Result<std::unique_ptr<Kernel>> MakeProductOf(std::unique_ptr<LeftRows> left, const MatMul& m,
                                              const Products& products, std::string_view name,
                                              const WeightRows& weight_rows);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_PRODUCT_H
