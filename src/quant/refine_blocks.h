// What is left to win when GPTQ has rounded: coordinate descent over integers and scales.
#ifndef INTMILL_QUANT_REFINE_BLOCKS_H
#define INTMILL_QUANT_REFINE_BLOCKS_H

#include <cstdint>
#include <span>
#include <vector>

#include "quant/input_products.h"

namespace intmill {

// Of one block of weights: w' = scale * (q - zero_point).
struct BlockParams {
  float scale = 1;
  int32_t zero_point = 0;
};

struct BlockForm {
  int64_t lines = 0;
  int64_t depth = 0;
  int64_t block = 0;  // weights with one scale; the last of a line may be shorter
  int32_t low = 0;    // the integers there are
  int32_t high = 0;
  bool half = false;      // scales are numbers of f16
  double damping = 0.01;  // as of GPTQ
};

// Lowers e^T H e of each line, e = w - w', H the damped products of the inputs: GPTQ goes through a
// line once and takes each integer back no more, and its scales were chosen before. Here each
// integer becomes the best for all others as they are, until none changes (cyclic coordinate
// descent, as in Nair and Suggala 2024, "CDQuant"), then each scale the one of least squares, and
// so on in turns. The error never rises. Time grows with lines depth^2, memory with depth^2.
void RefineBlocks(std::span<const float> weights, const BlockForm& form,
                  const InputProducts& products, std::span<BlockParams> params,
                  std::span<int32_t> integers);

}  // namespace intmill

#endif  // INTMILL_QUANT_REFINE_BLOCKS_H
