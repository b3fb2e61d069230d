// The certificate in a model: shown to people, and measured again.
#ifndef INTMILL_CLI_CERTIFICATE_H
#define INTMILL_CLI_CERTIFICATE_H

#include <map>
#include <string>

#include "cli/command.h"

namespace intmill::cli {

// Figures of one layer or output by their names; nothing where there is none.
double CertifiedLayerSqnr(const Report& certificate, const std::string& layer);  // NaN: none
// The value of a fact about the whole model, "" when the certificate lacks it.
std::string CertifiedFact(const Report& certificate, const std::string& fact);
// What inspect prints; "" without a certificate.
std::string CertificateText(const Report& certificate);

// Runs both models on `feeder`'s samples and writes into the model what that found.
struct Certified {
  Model model;
  Report summary;
  Report outputs;
};
Certified CertifyModel(const Model& reference, const Model& candidate, Feeder& feeder,
                       const std::vector<int64_t>& labels, Work& work);

struct ReplayOptions {
  CommonOptions common;
  DataOptions data;
  std::string model;
  std::string labels;
};
// Prints each figure and whether it still holds; answers the exit code, 1 when one does not.
int ReplayCertificate(const ReplayOptions& options);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_CERTIFICATE_H
