// Models in ONNX Runtime, whose library is opened by hand.
#ifndef INTMILL_TESTS_BENCH_COMPARE_ORT_RUNNER_H
#define INTMILL_TESTS_BENCH_COMPARE_ORT_RUNNER_H

#include "bench/compare/runner.h"

namespace intmill::bench {

// The version of the library of that name, "" for libonnxruntime.so.1. Throws when it cannot be
// opened, or when this program was built without ONNX Runtime's header.
std::string OrtVersion(const std::string& library);

std::unique_ptr<Runner> LoadOrt(const std::string& library, const std::string& path, int threads);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_ORT_RUNNER_H
