// What a comparison finds out: four ways to run a model, and their figures.
#ifndef INTMILL_TESTS_BENCH_COMPARE_RESULT_H
#define INTMILL_TESTS_BENCH_COMPARE_RESULT_H

#include <array>
#include <string>
#include <vector>

#include "bench/compare/statistics.h"

namespace intmill::bench {

enum Variant : size_t { kIntmillF32, kIntmillInt8, kOrtF32, kOrtInt8, kVariants };

// As the keys of JSON and the columns of CSV begin.
constexpr std::array<const char*, kVariants> kVariantNames = {"intmill_f32", "intmill_int8",
                                                              "ort_f32", "ort_int8"};

struct Figures {
  double median_ms = kNone;
  double min_ms = kNone;
  double load_ms = kNone;  // from opening the file to the end of the first run
  double peak_mb = kNone;  // of a process that loads the model and runs it
  std::string reason;      // why there are none; empty when there are
};

struct ModelResult {
  std::string name;
  double macs = kNone;  // multiply-adds of one run
  std::array<Figures, kVariants> figures;
};

struct Comparison {
  std::string cpu;
  std::string isa;
  std::string intmill;
  std::string ort;  // empty: not there
  int threads = 1;
  double peak_gops = kNone;
  std::vector<ModelResult> models;
};

// How often `fast` runs while `slow` runs once.
double Ratio(const ModelResult& result, Variant slow, Variant fast);

// Billions of operations a second, a multiply-add being two.
double Gops(const ModelResult& result, Variant variant);

// The geometric mean of Ratio over all models.
double MeanRatio(const Comparison& comparison, Variant slow, Variant fast);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_RESULT_H
