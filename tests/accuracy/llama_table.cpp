// Prints the perplexity of each weight-only form of the small Llama: accuracy_llama [TEXTS].
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "accuracy/llama_task.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr bool kSymmetric = true;
constexpr bool kZeroPoints = false;
constexpr bool kNearest = false;
constexpr bool kGptq = true;

void Print(int64_t texts) {
  const LlamaForm forms[] = {
      {"int8, groups of 32", DType::kS8, 32, kSymmetric, kNearest},
      {"int8, one scale a channel", DType::kS8, 0, kSymmetric, kNearest},
      {"int4, groups of 32", DType::kS4, 32, kSymmetric, kNearest},
      {"int4, groups of 32, GPTQ", DType::kS4, 32, kSymmetric, kGptq},
      {"int4, groups of 32, zero points, GPTQ", DType::kU4, 32, kZeroPoints, kGptq},
      {"the same, ends in int8", DType::kU4, 32, kZeroPoints, kGptq, true},
      {"int4, groups of 16, zero points, GPTQ", DType::kU4, 16, kZeroPoints, kGptq},
      {"the same, ends in int8", DType::kU4, 16, kZeroPoints, kGptq, true}};
  const auto llama = LoadLlama();
  const double reference = Perplexity(llama, texts);
  std::printf("FP32: %.4f on %lld texts\n", reference, static_cast<long long>(texts));
  for (const LlamaForm& form : forms) {
    const double found = Perplexity(Quantized(llama, form), texts);
    std::printf("%-40s %.4f  %+6.2f %%\n", form.name.c_str(), found, (found / reference - 1) * 100);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int64_t texts = argc > 1 ? std::atoll(argv[1]) : kLlamaTexts - kLlamaCalibration;
    if (texts < 1 || texts > kLlamaTexts - kLlamaCalibration) {
      std::fprintf(stderr, "accuracy_llama: found %s texts, wanted 1 to %d\n", argv[1],
                   static_cast<int>(kLlamaTexts - kLlamaCalibration));
      return 2;
    }
    Print(texts);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy_llama: %s\n", error.what());
    return 1;
  }
  return 0;
}
