// ONNX Runtime's library, which is opened by hand. Needs its header.
#ifndef INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H
#define INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H

#include <onnxruntime_c_api.h>
#include <string>

namespace intmill::bench {

struct OrtLibrary {
  const OrtApi* api = nullptr;
  std::string version;
};

// "": libonnxruntime.so.1. Throws when it cannot be opened. It stays open.
OrtLibrary OpenOrt(const std::string& name);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H
