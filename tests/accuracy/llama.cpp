// What weight-only quantization may cost a small language model.
#include <criterion/criterion.h>
#include <cstdio>

#include "accuracy/llama_task.h"
#include "accuracy/tasks.h"

using namespace intmill;
using namespace intmill::test;

Test(llama, weight_only_keeps_the_perplexity) {
  if (!HasShared()) cr_skip_test("the folder 'shared' with models and data is missing");
  constexpr int64_t kTexts = 8;
  const auto graph = LoadLlama();
  const double reference = Perplexity(graph, kTexts);
  struct Limit {
    LlamaForm form;
    double most;  // percent
  };
  const Limit limits[] = {{{.name = "int8"}, 1},
                          {{.name = "int4 with zero points, gptq, ends in 8 bits",
                            .dtype = DType::kU4,
                            .group = 16,
                            .symmetric = false,
                            .gptq = true,
                            .ends_in_8_bits = true},
                           5}};
  for (const auto& [form, most] : limits) {
    const double found = Perplexity(Quantized(graph, form), kTexts);
    const double change = (found / reference - 1) * 100;
    std::printf("%s: perplexity %.4f, FP32 %.4f (%+.2f %%)\n", form.name.c_str(), found, reference,
                change);
    cr_expect_lt(change, most, "%s: %.3f", form.name.c_str(), change);
  }
}
