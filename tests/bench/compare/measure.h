// Measuring one model in every way there is to run it.
#ifndef INTMILL_TESTS_BENCH_COMPARE_MEASURE_H
#define INTMILL_TESTS_BENCH_COMPARE_MEASURE_H

#include <filesystem>

#include "bench/compare/arguments.h"
#include "bench/compare/result.h"

namespace intmill::bench {

// Facts about the machine and the libraries, and what ONNX Runtime's absence is due to.
Comparison DescribeMachine(const Arguments& arguments, std::string& no_ort);

// `scratch` is a folder for the 8-bit files. Nothing is thrown for a model that cannot be measured:
// its figures say why.
ModelResult MeasureModel(const Arguments& arguments, const std::string& path,
                         const std::filesystem::path& scratch, const std::string& no_ort);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_MEASURE_H
