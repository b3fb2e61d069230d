// Whose work the steps of a run are: by names, which quantized models and plans keep.
#include "cli/layer_times.h"

#include <initializer_list>

namespace intmill::cli {
namespace {

// The half of a product with 16-bit inputs that the layer itself adds.
constexpr std::string_view kHigh = ".high";

// What quantizing a model, and compiling it, append to the name of a value or a layer.
constexpr std::string_view kSuffixes[] = {
    "_quantize", "_dequantize", "_quantized", "_dequantized", "_real",    ".rows", "_zero_point",
    ".q",        "_s16",        ".split",     kHigh,          "_to_bf16", "_bf16", "_cast"};

// "name_1_2" is "name": numbers make a name unique that was taken.
std::string_view WithoutNumbers(std::string_view name) {
  for (;;) {
    const size_t last = name.find_last_not_of("0123456789");
    if (last == std::string_view::npos || last + 1 == name.size() || name[last] != '_') return name;
    name = name.substr(0, last);
  }
}

// Without one suffix, and the numbers behind it; the same text when it has none.
std::string_view WithoutSuffix(std::string_view name) {
  for (const std::string_view text : {name, WithoutNumbers(name)}) {
    for (const std::string_view suffix : kSuffixes) {
      if (text.size() > suffix.size() && text.ends_with(suffix))
        return text.substr(0, text.size() - suffix.size());
    }
  }
  return name;
}

bool IsInt8(std::string_view dtype) { return dtype == "u8" || dtype == "s8"; }

}  // namespace

bool IsConversion(const StepTime& step) {
  for (const char* op :
       {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "SplitInt16", "Reorder"})
    if (step.op == op) return true;
  return false;
}

StepOwners::StepOwners(const std::vector<LayerInfo>& layers) {
  for (size_t i = 0; i < layers.size(); ++i) {
    layers_.emplace(layers[i].name, i);
    for (const std::string& value : layers[i].outputs) makers_.emplace(value, i);
    for (const std::string& value : layers[i].inputs) readers_.emplace(value, i);
  }
}

std::optional<size_t> StepOwners::Layer(std::string_view name) const {
  const auto found = layers_.find(name);
  return found == layers_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<size_t> StepOwners::Maker(std::string_view value) const {
  const auto found = makers_.find(value);
  return found == makers_.end() ? std::nullopt : std::optional(found->second);
}

// Conversions and copies bear the name of a value, which may be a layer's name too.
std::optional<size_t> StepOwners::Find(const StepTime& step) const {
  if (!IsConversion(step) && step.op != "Copy") {
    if (const auto layer = Layer(step.layer)) return layer;
    if (step.layer.ends_with(kHigh)) {
      const std::string_view whole = std::string_view(step.layer);
      if (const auto layer = Layer(whole.substr(0, whole.size() - kHigh.size()))) return layer;
    }
  }
  const bool serves_maker = step.op == "DequantizeLinear" || step.op == "Copy";
  const auto found = serves_maker ? FindAny(step.layer, makers_, readers_)
                                  : FindAny(step.layer, readers_, makers_);
  return found ? found : FindAny(step.layer, layers_, layers_);
}

std::optional<size_t> StepOwners::MakerOf(const StepTime& conversion) const {
  return FindAny(conversion.layer, makers_, makers_);
}

// Suffixes are taken off one by one until the name is known.
std::optional<size_t> StepOwners::FindAny(std::string_view name, const Index& first,
                                          const Index& second) {
  for (;;) {
    for (const Index* index : {&first, &second}) {
      if (const auto found = index->find(name); found != index->end()) return found->second;
    }
    const std::string_view shorter = WithoutSuffix(name);
    if (shorter == name) return std::nullopt;
    name = shorter;
  }
}

LayerTimes SumByLayer(const std::vector<LayerInfo>& layers, const std::vector<StepTime>& steps) {
  const StepOwners owners(layers);
  LayerTimes times;
  times.microseconds.resize(layers.size());
  times.has_step.resize(layers.size());
  times.is_int8.resize(layers.size());
  for (const StepTime& step : steps) {
    times.total += step.microseconds;
    const auto owner = owners.Find(step);
    if (!owner) {
      times.others.push_back(step);
      continue;
    }
    times.microseconds[*owner] += step.microseconds;
    if (IsConversion(step) || step.layer != layers[*owner].name) continue;
    times.has_step[*owner] = true;
    times.is_int8[*owner] = times.is_int8[*owner] || IsInt8(step.dtype);
  }
  return times;
}

}  // namespace intmill::cli
