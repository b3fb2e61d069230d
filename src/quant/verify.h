// Verification: the FP32 model and the candidate on the same data, output by output.
#ifndef INTMILL_QUANT_VERIFY_H
#define INTMILL_QUANT_VERIFY_H

#include <memory>
#include <span>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill {

// kShape when inputs or outputs differ in number, type or sizes that both graphs know.
Status CheckSamePorts(const Graph& reference, const Graph& candidate);

class Verifier {
 public:
  // Inputs and outputs of both graphs must agree in count, names and types.
  static Result<std::unique_ptr<Verifier>> Create(std::shared_ptr<const Graph> reference,
                                                  std::shared_ptr<const Graph> candidate,
                                                  SessionOptions options);
  ~Verifier();

  // targets: empty, or class indices (s32 or s64, one a sample) for the first output.
  Status Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets);

  // key, value: samples, agreement; with targets reference_top1, reference_top5, candidate_top1,
  // candidate_top5 (percent).
  Table Summary() const;
  Table Outputs() const;  // name, cosine, sqnr_db, max_abs, mean_abs

  struct Impl;
  explicit Verifier(std::unique_ptr<Impl> impl);  // for Create

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_VERIFY_H
