// ONNX Runtime's library, which is opened by hand. Nothing of it is here without its header.
#ifndef INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H
#define INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H

#ifdef INTMILL_BENCH_ORT

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

#endif  // INTMILL_BENCH_ORT

#endif  // INTMILL_TESTS_BENCH_COMPARE_ORT_LIBRARY_H
