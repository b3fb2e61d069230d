// What a sensitivity adds up: how far a model with one layer in another form is from the float
// model.
#ifndef INTMILL_QUANT_FIGURES_H
#define INTMILL_QUANT_FIGURES_H

#include <cstdint>
#include <span>
#include <vector>

#include "engine/replay.h"
#include "quant/signal.h"
#include "quant/twins.h"
#include "tensor/tensor.h"

namespace intmill {

// Of one layer, or of the whole model.
struct Figures {
  SignalSums layer;
  std::vector<SignalSums> outputs;  // of the model
  InputSums input;
  int64_t agreeing = 0;
  int64_t hits = 0;

  void Merge(const Figures& other);
  double WorstSqnr() const;  // over the model's outputs
  double WorstCosine() const;
};

// What the float model says to a batch.
struct Reference {
  std::vector<Tensor> outputs;
  std::vector<int64_t> best;     // class of each row of the first output; empty: it has none
  std::vector<int64_t> targets;  // empty: none
};

// The index of the largest value along the last dimension, of equals the first; empty when the
// values are not f32.
std::vector<int64_t> BestOfRows(const Tensor& output);

void CompareOutputs(const Reference& reference, std::span<const Tensor> found, Figures* figures);

// What the layer is fed.
void AddInput(const Replay::Value& input, const Twin& twin, Figures* figures);

}  // namespace intmill

#endif  // INTMILL_QUANT_FIGURES_H
