// The Llama of 260,000 weights in shared/models, and its texts.
#include "accuracy/llama_task.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/file.h"
#include "import/load.h"
#include "quant/calibrate.h"
#include "quant/quantize_graph.h"
#include "session/session.h"
#include "support/shared_data.h"

namespace intmill::test {
namespace {

constexpr int64_t kTokens = 256;  // of a text

void Check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.message());
}

template <typename T>
T Must(Result<T> result) {
  Check(result.status());
  return *std::move(result);
}

// [count, kTokens]
Tensor Texts(int64_t first, int64_t count) {
  const std::string path = SharedFolder() + "/data/text/stories260K_sampled_ids_128x256.i64";
  const BlobPtr file = Must(MapFile(path));
  if (file->bytes().size() != static_cast<size_t>(kLlamaTexts * kTokens) * 8)
    throw std::runtime_error(path + ": has the wrong size");
  Tensor ids = Must(Tensor::Make(DType::kS64, {count, kTokens}));
  std::memcpy(ids.mutable_data<void>(), file->bytes().data() + first * kTokens * 8,
              static_cast<size_t>(ids.bytes()));
  return ids;
}

// The sum of -log p over all tokens but the first.
double LossOf(const Tensor& ids, const Tensor& logits) {
  const int64_t words = logits.shape().back();
  double loss = 0;
  for (int64_t t = 0; t + 1 < kTokens; ++t) {
    const std::span<const float> row(logits.data<float>() + t * words, static_cast<size_t>(words));
    const double largest = double{*std::ranges::max_element(row)};
    double sum = 0;
    for (const float logit : row) sum += std::exp(double{logit} - largest);
    const auto next = static_cast<size_t>(ids.data<int64_t>()[t + 1]);
    loss += largest + std::log(sum) - double{row[next]};
  }
  return loss;
}

}  // namespace

std::shared_ptr<const Graph> LoadLlama() {
  return std::make_shared<const Graph>(
      Must(LoadModel(SharedFolder() + "/models/onnx/stories260K_llama_fp32.onnx", {})));
}

std::shared_ptr<const Graph> Quantized(const std::shared_ptr<const Graph>& llama,
                                       const LlamaForm& form) {
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
  const auto calibrator = Must(Calibrator::Create(llama, schemes, {}));
  const Tensor texts = Texts(kLlamaTexts - kLlamaCalibration, kLlamaCalibration);
  Check(calibrator->Feed(std::span(&texts, 1)));
  return std::make_shared<const Graph>(Must(QuantizeGraph(*llama, calibrator.get(), schemes, {})));
}

double Perplexity(const std::shared_ptr<const Graph>& graph, int64_t texts) {
  const auto session = Must(Session::Create(graph, {}));
  double loss = 0;
  for (int64_t i = 0; i < texts; ++i) {
    const Tensor ids = Texts(i, 1);
    std::vector<Tensor> outputs(1);
    Check(session->Run(std::span(&ids, 1), outputs));
    loss += LossOf(ids, outputs[0]);
  }
  return std::exp(loss / static_cast<double>(texts * (kTokens - 1)));
}

}  // namespace intmill::test
