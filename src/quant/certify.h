// Measuring for a certificate, and measuring again what a certificate says.
#ifndef INTMILL_QUANT_CERTIFY_H
#define INTMILL_QUANT_CERTIFY_H

#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/certificate.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill {

// As a Verifier, and also layer by layer. Runs on one thread, as figures in a file must not depend
// on how many there are.
class Certifier {
 public:
  static Result<std::unique_ptr<Certifier>> Create(std::shared_ptr<const Graph> reference,
                                                   std::shared_ptr<const Graph> candidate,
                                                   SessionOptions options);
  struct Impl;
  explicit Certifier(std::unique_ptr<Impl> impl);  // for Create
  ~Certifier();

  // As Verifier::Feed. A failing call leaves the figures as they were.
  Status Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets);

  Table Summary() const;  // as a Verifier's
  Table Outputs() const;
  // `graph` with the certificate in its metadata; kInvalidArgument when it is not the candidate.
  // `version` is the library's.
  Result<Graph> Certify(const Graph& graph, const std::string& version) const;

 private:
  std::unique_ptr<Impl> impl_;
};

// Runs a certified model on the data again.
class CertificateReplay {
 public:
  // kState: the graph has no certificate. kBadFormat: a damaged one, or one of another graph.
  static Result<std::unique_ptr<CertificateReplay>> Create(std::shared_ptr<const Graph> graph,
                                                           SessionOptions options);
  struct Impl;
  explicit CertificateReplay(std::unique_ptr<Impl> impl);  // for Create
  ~CertificateReplay();

  Status Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets);

  // figure, name, recorded, found, holds (1, 0, or nothing where it was not measured). The first
  // row, "data", compares digests; where it does not hold, the others say nothing.
  Table Rows() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_CERTIFY_H
