// What weight-only quantization costs a small language model: perplexity on text that the float
// model itself made up.
#include <cmath>
#include <criterion/criterion.h>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "import/load.h"
#include "quant/quantize_graph.h"
#include "session/session.h"
#include "support/shared_data.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr int64_t kTokens = 256;      // of a text
constexpr int64_t kCalibration = 16;  // the last texts; the first are for measuring
constexpr int64_t kTexts = 128;

std::shared_ptr<const Graph> LoadLlama() {
  Result<Graph> graph = LoadModel(SharedFolder() + "/models/onnx/stories260K_llama_fp32.onnx", {});
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  return std::make_shared<const Graph>(*std::move(graph));
}

// [count, kTokens]
Tensor Texts(int64_t first, int64_t count) {
  const std::string path = SharedFolder() + "/data/text/stories260K_sampled_ids_128x256.i64";
  const Result<BlobPtr> file = MapFile(path);
  cr_assert(file.ok() && (*file)->bytes().size() == static_cast<size_t>(kTexts * kTokens) * 8);
  Tensor ids = *Tensor::Make(DType::kS64, {count, kTokens});
  std::memcpy(ids.mutable_data<void>(), (*file)->bytes().data() + first * kTokens * 8,
              static_cast<size_t>(ids.bytes()));
  return ids;
}

// exp of the mean of -log p(next token); the first token of a text is given.
double Perplexity(const std::shared_ptr<const Graph>& graph, int64_t texts) {
  const auto session = Session::Create(graph, {});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  double loss = 0;
  for (int64_t i = 0; i < texts; ++i) {
    const Tensor ids = Texts(i, 1);
    std::vector<Tensor> outputs(1);
    const Status status = (*session)->Run(std::span(&ids, 1), outputs);
    cr_assert(status.ok(), "%s", status.message().c_str());
    const int64_t words = outputs[0].shape().back();
    for (int64_t t = 0; t + 1 < kTokens; ++t) {
      const float* logits = outputs[0].data<float>() + t * words;
      double largest = double{logits[0]};
      for (int64_t w = 1; w < words; ++w) largest = std::max(largest, double{logits[w]});
      double sum = 0;
      for (int64_t w = 0; w < words; ++w) sum += std::exp(double{logits[w]} - largest);
      loss += largest + std::log(sum) - double{logits[ids.data<int64_t>()[t + 1]]};
    }
  }
  return std::exp(loss / static_cast<double>(texts * (kTokens - 1)));
}

std::shared_ptr<const Graph> Quantized(const std::shared_ptr<const Graph>& graph,
                                       const SchemeTable& schemes) {
  auto calibrator = Calibrator::Create(graph, schemes, {});
  cr_assert(calibrator.ok());
  const Tensor texts = Texts(kTexts - kCalibration, kCalibration);
  cr_assert((*calibrator)->Feed(std::span(&texts, 1)).ok());
  Result<Graph> quantized = QuantizeGraph(*graph, calibrator->get(), schemes, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  return std::make_shared<const Graph>(*std::move(quantized));
}

}  // namespace

Test(llama, weight_only_keeps_the_perplexity) {
  if (SharedFolder().empty()) cr_skip_test("no folder ../shared (INTMILL_SHARED says where)");
  const bool whole = !Environment("INTMILL_LLAMA_WHOLE", "").empty();
  const int64_t texts = whole ? kTexts - kCalibration : 8;
  const auto graph = LoadLlama();
  const double reference = Perplexity(graph, texts);
  struct Form {
    const char* name;
    DType dtype;
    int64_t group;
    bool symmetric;
    bool gptq;
    bool ends_in_8_bits;  // the table of tokens and the last product, as the paper leaves them out
    double most;          // percent
  };
  const Form forms[] = {
      {"int8", DType::kS8, 32, true, false, false, 1},
      {"int4 with zero points, gptq, ends in 8 bits", DType::kU4, 16, false, true, true, 5}};
  for (const Form& form : forms) {
    SchemeTable schemes;
    schemes.Add("", [&](LayerScheme& scheme) {
      scheme.scheme = Scheme::kWeightOnly;
      scheme.weight_dtype = form.dtype;
      scheme.group_size = form.group;
      scheme.weight_symmetric = form.symmetric;
      scheme.gptq = form.gptq;
    });
    for (const char* layer : {"Gather_1", "MatMul_362"})
      if (form.ends_in_8_bits)
        schemes.Add(layer, [](LayerScheme& scheme) {
          scheme.weight_dtype = DType::kS8;
          scheme.weight_symmetric = true;
        });
    const double found = Perplexity(Quantized(graph, schemes), texts);
    const double change = (found / reference - 1) * 100;
    std::printf("%s: perplexity %.4f, FP32 %.4f (%+.2f %%)\n", form.name, found, reference, change);
    cr_expect_lt(change, form.most, "%s: %.3f", form.name, change);
  }
}
