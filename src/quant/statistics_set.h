// What calibrations of one model saw: adds up exactly, whoever ran them and in whatever order, and
// travels in a file.
#ifndef INTMILL_QUANT_STATISTICS_SET_H
#define INTMILL_QUANT_STATISTICS_SET_H

#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"
#include "quant/statistics.h"

namespace intmill {

struct StatisticsSet {
  std::string model;  // DigestOf the float graph
  int64_t samples = 0;
  std::map<std::string, ValueStatistics, std::less<>> values;

  // kInvalidArgument when `other` is of another model.
  Status Merge(const StatisticsSet& other);
};

// Equal sets give equal bytes. The file is replaced atomically.
Status WriteStatistics(const StatisticsSet& set, const std::string& path);
// Trusts nothing in the file: kBadFormat or kBadVersion names it and what is wrong.
Result<StatisticsSet> ReadStatistics(const std::string& path);

}  // namespace intmill

#endif  // INTMILL_QUANT_STATISTICS_SET_H
