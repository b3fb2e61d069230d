// A comparison as text for people, as CSV and as JSON.
#ifndef INTMILL_TESTS_BENCH_COMPARE_OUTPUT_H
#define INTMILL_TESTS_BENCH_COMPARE_OUTPUT_H

#include <string>

#include "bench/compare/result.h"

namespace intmill::bench {

std::string ToTable(const Comparison& comparison);
std::string ToCsv(const Comparison& comparison);   // what is missing is an empty cell
std::string ToJson(const Comparison& comparison);  // what is missing is null

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_OUTPUT_H
