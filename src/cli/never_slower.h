// NeverSlower: measures a quantized model beside its float model, and puts back into floats what
// is slower in integers on this machine.
#ifndef INTMILL_CLI_NEVER_SLOWER_H
#define INTMILL_CLI_NEVER_SLOWER_H

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace intmill::cli {

struct KeptLayer {
  std::string layer;
  double float_us = 0;
  double int8_us = 0;  // with what quantized and dequantized for it
};

struct NeverSlower {
  Model model;
  std::vector<KeptLayer> kept_float;
  double float_ms = 0;
  double int8_ms = 0;         // of the fastest form with integers
  bool is_all_float = false;  // which was slower than floats
};

// Made-up input needs to know every size but the batch's: UsageError where one is free and there is
// no data.
void CheckCanBeTimed(const Model& model, const DataOptions& data);

// What to time with: one sample, or `data.batch` of them, or as many as the model takes. `name` is
// the model's, for messages.
std::vector<Tensor> TimingInputs(const Model& model, const std::string& name, DataOptions data);

// Quantizes again, with these layers left in float.
using Requantize = std::function<Model(const std::vector<std::string>& float_layers)>;

// Runs on `threads` threads.
NeverSlower MakeNeverSlower(const Model& reference, Model quantized, const Requantize& requantize,
                            const std::vector<Tensor>& inputs, int64_t threads, Work& work);

// With what it was measured on, for whoever runs the file elsewhere.
Model Annotated(const NeverSlower& result, int64_t threads);

std::string ToText(const NeverSlower& result);
std::string ToJson(const NeverSlower& result);  // an object

}  // namespace intmill::cli

#endif  // INTMILL_CLI_NEVER_SLOWER_H
