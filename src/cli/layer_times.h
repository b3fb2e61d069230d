// Whose work the steps of a run are: from a session's profile to the times of a model's layers.
#ifndef INTMILL_CLI_LAYER_TIMES_H
#define INTMILL_CLI_LAYER_TIMES_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace intmill::cli {

// A layer as the model tells of it.
struct LayerInfo {
  std::string name;
  std::string op;
  std::string scheme;       // "static", "dynamic", "float" or ""
  std::string activations;  // type of the integers it reads, or ""
  std::string note;
  std::vector<std::string> inputs;  // names of values
  std::vector<std::string> outputs;
  double elements = 0;  // of its first output; a size that is free counts as 1
};

// A step of a run as a session tells of it.
struct StepTime {
  std::string layer;
  std::string op;
  std::string kernel;
  std::string isa;
  std::string note;
  std::string dtype;  // of what it computes with
  double multiply_adds = 0;
  double microseconds = 0;  // of one call
};

// Turns floats into integers, integers into floats, or one memory layout into another.
bool IsConversion(const StepTime& step);

// Knows the layers by name and by the values that they make and read. Quantizing a value, or
// reordering it, serves the first layer that reads it; dequantizing it the layer that made it.
class StepOwners {
 public:
  explicit StepOwners(const std::vector<LayerInfo>& layers);

  std::optional<size_t> Layer(std::string_view name) const;
  std::optional<size_t> Maker(std::string_view value) const;
  // The layer that the step works for; nothing when its name tells of none.
  std::optional<size_t> Find(const StepTime& step) const;
  // The layer that makes the value that a conversion converts.
  std::optional<size_t> MakerOf(const StepTime& conversion) const;

 private:
  using Index = std::map<std::string, size_t, std::less<>>;

  static std::optional<size_t> FindAny(std::string_view name, const Index& first,
                                       const Index& second);

  Index layers_;
  Index makers_;
  Index readers_;  // the first of each value
};

struct LayerTimes {
  std::vector<double> microseconds;  // of each layer, with its conversions
  std::vector<bool> has_step;        // one of its own
  std::vector<bool> is_int8;         // a step of its own computes with 8-bit integers
  std::vector<StepTime> others;      // steps of no layer
  double total = 0;
};

LayerTimes SumByLayer(const std::vector<LayerInfo>& layers, const std::vector<StepTime>& steps);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_LAYER_TIMES_H
