#include "bench/compare/ort_library.h"

#ifdef INTMILL_BENCH_ORT

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <stdexcept>

namespace intmill::bench {
namespace {

// The API of ONNX Runtime 1.N has the number N; a library knows the older ones too.
uint32_t ApiVersion(const std::string& version) {
  const size_t point = version.find('.');
  const auto minor = static_cast<uint32_t>(
      point == std::string::npos ? 0 : std::strtoul(version.c_str() + point + 1, nullptr, 10));
  return std::min<uint32_t>(ORT_API_VERSION, minor);
}

}  // namespace

OrtLibrary OpenOrt(const std::string& name) {
  const char* const file = name.empty() ? "libonnxruntime.so.1" : name.c_str();
  void* const handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  using GetBase = const OrtApiBase*();
  const auto get_base = reinterpret_cast<GetBase*>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) throw std::runtime_error(std::string(file) + ": not ONNX Runtime");
  const OrtApiBase* const base = get_base();
  OrtLibrary library;
  library.version = base->GetVersionString();
  library.api = base->GetApi(ApiVersion(library.version));
  if (library.api == nullptr)
    throw std::runtime_error("ONNX Runtime " + library.version + " does not know the API of " +
                             std::to_string(ORT_API_VERSION));
  return library;
}

}  // namespace intmill::bench

#endif  // INTMILL_BENCH_ORT
