// Certificate: what a quantized model was measured to lose, kept in its metadata, with what is
// needed to measure it again without the float model.
#ifndef INTMILL_QUANT_CERTIFICATE_H
#define INTMILL_QUANT_CERTIFICATE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/sketch.h"

namespace intmill {

// The key of the metadata that holds it.
inline constexpr const char* kCertificateKey = "intmill.certificate";
// The options that a model was quantized with, as JSON.
inline constexpr const char* kRecipeKey = "intmill.recipe";

struct Certificate {
  // Of an output of the model, or of a layer's result.
  struct Figure {
    std::string name;
    double sqnr_db = 0;  // all are kept in a file with the digits of a float
    double cosine = 0;
    double max_abs = 0;   // of outputs
    double mean_abs = 0;  // of outputs
    double estimate = 0;  // of sqnr_db, by the sketches of both models
    Sketch sketch{2};     // of the float model's values
  };
  struct Accuracy {  // percent of the rows
    double reference_top1 = 0;
    double reference_top5 = 0;
    double candidate_top1 = 0;
    double candidate_top5 = 0;
  };

  std::string reference;  // DigestOf the float graph
  std::string model;      // DigestOf the quantized graph
  std::string data;       // of all inputs in order, whatever the batches were
  std::string labels;     // "": none were given
  int64_t rows = 0;       // of the first output
  double agreement = 0;   // percent
  std::optional<Accuracy> accuracy;
  std::vector<int32_t> answers;  // the class that the float model puts first in each row; may be
                                 // empty: too many
  std::vector<Figure> outputs;
  std::vector<Figure> layers;
  std::string isa;  // in force when it was measured
  std::string version;
  std::string onednn;
};

// Replaces one that is there.
void WriteCertificate(const Certificate& certificate, Graph& graph);
bool HasCertificate(const Graph& graph);
// kState: there is none. kBadFormat: it is damaged, or of a newer form.
Result<Certificate> ReadCertificate(const Graph& graph);
// fact, name (of an output or a layer, else ""), value. What replaying alone needs is left out.
Table DescribeCertificate(const Certificate& certificate, const Graph& graph);

}  // namespace intmill

#endif  // INTMILL_QUANT_CERTIFICATE_H
