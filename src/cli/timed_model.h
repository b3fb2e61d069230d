// TimedModel: a compiled model with its input in place, run again and again under a clock.
#ifndef INTMILL_CLI_TIMED_MODEL_H
#define INTMILL_CLI_TIMED_MODEL_H

#include <memory>
#include <string>
#include <vector>

#include <intmill/intmill.hpp>

#include "cli/command.h"
#include "cli/layer_times.h"

namespace intmill::cli {

enum class Detail { kWhole, kSteps };

class TimedModel {
 public:
  // kSteps also takes the time of each step, which costs every step two looks at the clock.
  TimedModel(const Model& model, const Options& options, const std::vector<Tensor>& inputs,
             Detail detail);

  // One run that is not counted, because other work may have filled the caches, then some that are.
  void RunBlock();
  double MedianMs() const;
  // In running order; of each, the median of the blocks' averages. Needs kSteps and a block.
  std::vector<StepTime> Steps() const;
  size_t runs() const { return milliseconds_.size(); }

 private:
  double RunOnce();
  Report Profile() const;

  Session session_;
  std::unique_ptr<Binding> binding_;
  Detail detail_;
  int64_t runs_in_block_ = 1;
  std::vector<double> milliseconds_;                // of each run
  std::vector<std::vector<double>> step_averages_;  // of each block, of each step
};

// Lets the models take turns, so that what slows the machine down slows all of them: for about
// `seconds` each, and for no fewer than a few blocks.
void TakeTurns(const std::vector<TimedModel*>& models, double seconds, const std::string& stage,
               Work& work);

double Median(std::vector<double> values);

// The model's layers, and before them its inputs, as layers of the operator "Input".
std::vector<LayerInfo> ReadLayers(const Model& model);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_TIMED_MODEL_H
