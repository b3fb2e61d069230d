// Models in intmill, through its C ABI like any user.
#ifndef INTMILL_TESTS_BENCH_COMPARE_INTMILL_RUNNER_H
#define INTMILL_TESTS_BENCH_COMPARE_INTMILL_RUNNER_H

#include "bench/compare/runner.h"

namespace intmill::bench {

std::unique_ptr<Runner> LoadIntmill(const std::string& path, int threads);

// The model calibrated on `samples` random inputs and made 8-bit.
Model QuantizeOnRandomInputs(const Model& model, int samples);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_INTMILL_RUNNER_H
