// Which kernel computes a matrix product.
#include "kernels/matmul.h"

namespace intmill {

Result<std::unique_ptr<Kernel>> MakeMatMul(const MatMul& matmul, Isa isa) {
  if (native::PrefersProduct(matmul, isa)) return native::MakeProduct(matmul, isa);
  if (matmul.epilogue.table) {
    MatMul plain = matmul;
    plain.epilogue.table.reset();
    ASSIGN_OR_RETURN(std::unique_ptr<Kernel> product, MakeMatMul(plain, isa));
    return native::MakeWithTable(std::move(product), *matmul.epilogue.table,
                                 NumElements(matmul.out), isa);
  }
  Result<std::unique_ptr<Kernel>> kernel = onednn::MakeMatMul(matmul, isa);
  // Floats without oneDNN go to the reference; integers have an exact kernel of our own.
  if (kernel.ok() || !IsQuantized8(matmul.a_dtype) || kernel.status().code() != Code::kUnsupported)
    return kernel;
  return native::MakeMatMul(matmul, isa);
}

}  // namespace intmill
