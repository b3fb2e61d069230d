// The epilogue of integer sums in plain loops: the definition that oneDNN's kernels must equal.
#ifndef INTMILL_KERNELS_NATIVE_EPILOGUE_ROW_H
#define INTMILL_KERNELS_NATIVE_EPILOGUE_ROW_H

#include "kernels/epilogue.h"
#include "kernels/kernel.h"

namespace intmill::native {

// kUnsupported when an operand of kAdd does not lie like the output.
Status CheckEpilogue(const Epilogue& epilogue);

// What follows the scales, and writing at element `offset` of output 0; `row` has a float for each
// channel.
void FinishReals(const Epilogue& epilogue, DType out_dtype, int64_t channels, const RunArgs& args,
                 int64_t offset, float* row);

// The same for integer sums, which are scaled first. `row` is room for as many floats.
void FinishRow(const Epilogue& epilogue, DType out_dtype, const int32_t* sums, int64_t channels,
               const RunArgs& args, int64_t offset, float* row);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_EPILOGUE_ROW_H
