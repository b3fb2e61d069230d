// SchemeTable: defaults first, then every rule whose pattern matches, in order.
#include "quant/scheme.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"

namespace intmill {

void SchemeTable::Add(std::string pattern, std::function<void(LayerScheme&)> change) {
  rules_.push_back({std::move(pattern), std::move(change)});
}

LayerScheme SchemeTable::For(std::string_view layer) const {
  LayerScheme scheme;
  for (const bool for_all : {true, false}) {
    for (const Rule& rule : rules_) {
      if (rule.pattern.empty() != for_all) continue;
      if (for_all || GlobMatches(rule.pattern, layer)) rule.change(scheme);
    }
  }
  return scheme;
}

std::vector<std::string> SchemeTable::Unmatched(const std::vector<std::string>& layers) const {
  std::vector<std::string> unmatched;
  for (const Rule& rule : rules_) {
    if (rule.pattern.empty()) continue;
    const bool matches = std::any_of(layers.begin(), layers.end(), [&](const std::string& layer) {
      return GlobMatches(rule.pattern, layer);
    });
    if (!matches) unmatched.push_back(rule.pattern);
  }
  return unmatched;
}

}  // namespace intmill
