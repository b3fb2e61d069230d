// Asks oneDNN about itself.
#include "kernels/onednn/library.h"

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_version.h>

namespace intmill {
namespace {

dnnl_cpu_isa_t ToOnednn(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return dnnl_cpu_isa_sse41;
    case Isa::kAvx2:
      return dnnl_cpu_isa_avx2;
    case Isa::kAvx2Vnni:
      return dnnl_cpu_isa_avx2_vnni;
    case Isa::kAvx512:
      return dnnl_cpu_isa_avx512_core;
    case Isa::kAvx512Vnni:
      return dnnl_cpu_isa_avx512_core_vnni;
    case Isa::kAvx512Bf16:
      return dnnl_cpu_isa_avx512_core_bf16;
    case Isa::kAmx:
      return dnnl_cpu_isa_avx512_core_amx;
    case Isa::kAll:
      break;
  }
  return dnnl_cpu_isa_default;
}

}  // namespace

std::string OnednnBuiltWith() {
  return Cat(DNNL_VERSION_MAJOR, '.', DNNL_VERSION_MINOR, '.', DNNL_VERSION_PATCH);
}

std::string OnednnRunsWith() {
  const dnnl_version_t* version = dnnl_version();
  return Cat(version->major, '.', version->minor, '.', version->patch);
}

std::string OnednnThreading() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_OMP:
      return "omp";
    case DNNL_RUNTIME_TBB:
      return "tbb";
    case DNNL_RUNTIME_SEQ:
      return "sequential";
    case DNNL_RUNTIME_THREADPOOL:
      return "threadpool";
    default:
      return "unknown";
  }
}

Status LimitOnednnIsa(Isa highest) {
  if (dnnl_set_max_cpu_isa(ToOnednn(highest)) == dnnl_success) return Ok();
  return Error(Code::kState, "the instruction sets cannot be limited to ", IsaName(highest),
               ": kernels were built already, or oneDNN was built without that switch");
}

}  // namespace intmill
