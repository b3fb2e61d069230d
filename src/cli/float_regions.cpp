// FindFloatRegions: a layer costs its time in the form it has, and two neighbours of different form
// cost a conversion; the cheapest choice is a minimum cut, and its connected parts are the regions.
#include "cli/float_regions.h"

#include <algorithm>

#include "cli/min_cut.h"

namespace intmill::cli {
namespace {

constexpr size_t kNoLayer = static_cast<size_t>(-1);

// The latest layers before `layer` that make its inputs, without repetition.
std::vector<size_t> SourcesOf(const StepOwners& owners, const LayerInfo& layer, size_t self) {
  std::vector<size_t> sources;
  for (const std::string& value : layer.inputs) {
    const auto maker = owners.Maker(value);
    if (maker && *maker < self) sources.push_back(*maker);
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

void AddUnique(std::vector<size_t>& to, size_t item) {
  if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
}

// Conversions between groups that could both be of either form.
template <typename Visit>
void ForEachBorder(const std::vector<LayerGroup>& groups, const Visit& visit) {
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const size_t source : groups[i].sources) {
      if (source != i && groups[i].is_int8 && groups[source].is_int8)
        visit(source, i, groups[source].border_us);
    }
  }
}

// The number of the connected part that each chosen group belongs to; groups.size() for the others.
std::vector<size_t> ConnectedParts(const std::vector<LayerGroup>& groups,
                                   const std::vector<bool>& chosen) {
  std::vector<size_t> part(groups.size(), groups.size());
  for (size_t i = 0; i < groups.size(); ++i)
    if (chosen[i]) part[i] = i;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const size_t source : groups[i].sources) {
      if (!chosen[i] || !chosen[source]) continue;
      const size_t other = part[source];  // a copy: the element itself is replaced
      std::replace(part.begin(), part.end(), other, part[i]);
    }
  }
  return part;
}

}  // namespace

double ConversionUsPerElement(const std::vector<LayerInfo>& layers,
                              const std::vector<StepTime>& steps) {
  const StepOwners owners(layers);
  double microseconds = 0;
  double elements = 0;
  for (const StepTime& step : steps) {
    if (step.op != "QuantizeLinear" && step.op != "DequantizeLinear") continue;
    const auto maker = owners.MakerOf(step);
    if (!maker || layers[*maker].elements <= 0) continue;
    microseconds += step.microseconds;
    elements += layers[*maker].elements;
  }
  return elements > 0 ? microseconds / elements : 0;
}

std::vector<LayerGroup> GroupLayers(const std::vector<LayerInfo>& layers,
                                    const LayerTimes& float_times, const LayerTimes& int8_times,
                                    double conversion_us_per_element) {
  const StepOwners owners(layers);
  std::vector<LayerGroup> groups;
  std::vector<size_t> group_of(layers.size(), kNoLayer);
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::vector<size_t> sources = SourcesOf(owners, layers[i], i);
    const bool is_alone = sources.empty() || (float_times.has_step[i] && int8_times.has_step[i]);
    if (is_alone) groups.emplace_back();
    group_of[i] = is_alone ? groups.size() - 1 : group_of[sources.back()];
    LayerGroup& group = groups[group_of[i]];
    group.layers.push_back(i);
    for (const size_t source : sources)
      if (group_of[source] != group_of[i]) AddUnique(group.sources, group_of[source]);
    group.float_us += float_times.microseconds[i];
    group.int8_us += int8_times.microseconds[i];
    group.is_int8 = group.is_int8 || int8_times.is_int8[i];
    group.border_us = layers[i].elements * conversion_us_per_element;
  }
  return groups;
}

std::vector<FloatRegion> FindFloatRegions(const std::vector<LayerGroup>& groups, double margin,
                                          double least_gain_us) {
  MinCut cut(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].is_int8) cut.AddItem(i, groups[i].int8_us, groups[i].float_us * (1 + margin));
  }
  ForEachBorder(groups, [&](size_t a, size_t b, double cost) { cut.AddBorder(a, b, cost); });
  std::vector<bool> chosen = cut.Solve();
  const std::vector<size_t> part = ConnectedParts(groups, chosen);

  std::vector<FloatRegion> by_part(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!chosen[i]) continue;
    by_part[part[i]].groups.push_back(i);
    by_part[part[i]].gain_us += groups[i].int8_us - groups[i].float_us;
  }
  ForEachBorder(groups, [&](size_t a, size_t b, double cost) {
    if (chosen[a] != chosen[b]) by_part[part[chosen[a] ? a : b]].gain_us -= cost;
  });
  std::erase_if(by_part, [&](const FloatRegion& region) {
    return region.groups.empty() || region.gain_us <= least_gain_us;
  });
  std::stable_sort(by_part.begin(), by_part.end(),
                   [](const auto& a, const auto& b) { return a.gain_us > b.gain_us; });
  return by_part;
}

}  // namespace intmill::cli
