// C entries about the library itself: version, errors, instruction sets, the doctor.
#include "base/cpu.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "engine/machine.h"
#include "intmill/intmill.h"

using namespace intmill;
using namespace intmill::capi;

std::string intmill::capi::VersionText() {
  return Cat(INTMILL_VERSION / 10000, '.', INTMILL_VERSION / 100 % 100, '.', INTMILL_VERSION % 100);
}

namespace {

std::string BuildInfo() {
#if defined(__clang__)
  const char* compiler = "clang " __clang_version__;
#else
  const char* compiler = "gcc " __VERSION__;
#endif
  return Cat("intmill ", VersionText(), ", ", compiler, ", ", KernelLibraries());
}

bool IsListed(intmill_isa isa) {
  switch (isa) {
    case INTMILL_ISA_BASELINE:
    case INTMILL_ISA_AVX2:
    case INTMILL_ISA_AVX2_VNNI:
    case INTMILL_ISA_AVX512:
    case INTMILL_ISA_AVX512_VNNI:
    case INTMILL_ISA_AVX512_BF16:
    case INTMILL_ISA_AMX:
    case INTMILL_ISA_ALL:
      return true;
    default:
      return false;
  }
}

}  // namespace

int32_t intmill_version(void) { return INTMILL_VERSION; }

const char* intmill_build_info(void) {
  return Get<const char*>("", [] {
    static const std::string info = BuildInfo();
    return info.c_str();
  });
}

const char* intmill_last_error(void) { return LastError(); }

const char* intmill_status_name(intmill_status status) {
  switch (status) {
    case INTMILL_OK:
      return "INTMILL_OK";
    case INTMILL_ERROR_INVALID_ARGUMENT:
      return "INTMILL_ERROR_INVALID_ARGUMENT";
    case INTMILL_ERROR_OUT_OF_MEMORY:
      return "INTMILL_ERROR_OUT_OF_MEMORY";
    case INTMILL_ERROR_IO:
      return "INTMILL_ERROR_IO";
    case INTMILL_ERROR_BAD_FORMAT:
      return "INTMILL_ERROR_BAD_FORMAT";
    case INTMILL_ERROR_BAD_VERSION:
      return "INTMILL_ERROR_BAD_VERSION";
    case INTMILL_ERROR_UNSUPPORTED:
      return "INTMILL_ERROR_UNSUPPORTED";
    case INTMILL_ERROR_SHAPE:
      return "INTMILL_ERROR_SHAPE";
    case INTMILL_ERROR_STATE:
      return "INTMILL_ERROR_STATE";
    case INTMILL_ERROR_CANCELLED:
      return "INTMILL_ERROR_CANCELLED";
    case INTMILL_ERROR_INTERNAL:
      return "INTMILL_ERROR_INTERNAL";
    default:
      return "INTMILL_STATUS_UNKNOWN";
  }
}

intmill_isa intmill_isa_detected(void) { return static_cast<intmill_isa>(DetectIsa()); }

intmill_status intmill_isa_limit(intmill_isa highest) {
  return Guard([&]() -> Status {
    if (!IsListed(highest))
      return Error(Code::kInvalidArgument, "instruction set ", static_cast<int>(highest),
                   " is not known");
    return LimitIsa(static_cast<Isa>(highest));
  });
}

intmill_status intmill_doctor(intmill_report** out) {
  return Create(out, [] { return WrapReport(DescribeMachine(VersionText())); });
}
