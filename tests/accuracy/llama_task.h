// A small language model and texts that it made up itself: perplexity, and weight-only forms of it.
#ifndef INTMILL_TESTS_ACCURACY_LLAMA_TASK_H
#define INTMILL_TESTS_ACCURACY_LLAMA_TASK_H

#include <cstdint>
#include <memory>
#include <string>

#include "ir/graph.h"
#include "tensor/dtype.h"

namespace intmill::test {

inline constexpr int64_t kLlamaTexts = 128;       // of 256 tokens
inline constexpr int64_t kLlamaCalibration = 64;  // the last texts; the first are for measuring

struct LlamaForm {
  std::string name;
  DType dtype = DType::kS8;
  int64_t group = 32;
  bool symmetric = true;
  bool gptq = false;
  // The table of tokens and the last product are in INT8, as makers of 4-bit files leave them.
  bool ends_in_8_bits = false;
};

// Each throws std::exception when files are missing or wrong: ask HasShared of tasks.h first.
std::shared_ptr<const Graph> LoadLlama();
std::shared_ptr<const Graph> Quantized(const std::shared_ptr<const Graph>& llama,
                                       const LlamaForm& form);
// exp of the mean of -log p(next token) over the first `texts`; a text's first token is given.
double Perplexity(const std::shared_ptr<const Graph>& graph, int64_t texts);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_ACCURACY_LLAMA_TASK_H
