// Sizes of files, from files in memory.
#include "cli/saved_bytes.h"

#include "cli/error.h"

namespace intmill::cli {

int64_t SavedBytes(const Model& model) {
  Tensor file;
  Check(intmill_model_save_memory(model.get(), nullptr, file.Out()));
  return file.bytes();
}

int64_t ProofBytes(const Model& reference, const Model& candidate, Feeder& feeder,
                   const std::vector<int64_t>& labels, int64_t layers, const Options& options) {
  std::vector<Tensor> batch;
  std::vector<Tensor> targets;
  feeder.Next(batch);
  if (!labels.empty()) targets.push_back(LabelsOf(labels, feeder.batch()));
  Probe probe = Probe::Certify(reference, candidate, options);
  probe.Feed(batch, targets);
  constexpr int64_t kMoreDigits = 48;
  constexpr int64_t kOtherMetadata = 1024;
  constexpr int64_t kClass = 4;
  return SavedBytes(Certify(candidate, probe)) - SavedBytes(candidate) + kOtherMetadata +
         kClass * feeder.count() + kMoreDigits * layers;
}

}  // namespace intmill::cli
