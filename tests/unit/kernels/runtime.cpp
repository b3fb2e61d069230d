// oneDNN as a whole.
#include "kernels/onednn/runtime.h"

#include <criterion/criterion.h>
#include <oneapi/dnnl/dnnl_version.h>

using namespace intmill;

Test(runtime, the_version_is_the_one_that_was_built_against) {
  cr_assert_eq(OnednnRunsWith().rfind(Cat(DNNL_VERSION_MAJOR, "."), 0), 0u);
}

Test(runtime, the_effective_instruction_set_is_one_the_processor_has) {
  const Isa isa = EffectiveIsa();
  cr_assert_leq(static_cast<int>(isa), static_cast<int>(DetectIsa()));
}

Test(runtime, code_can_be_made_here) { cr_assert(CheckCodeGeneration().ok()); }

Test(runtime, the_instruction_set_cannot_be_limited_once_it_is_in_use) {
  EffectiveIsa();
  const Status status = SetIsaLimit(Isa::kAvx2);
  cr_assert_eq(status.code(), Code::kState);
  cr_assert(status.message().find("avx2") != std::string::npos, "%s", status.message().c_str());
}

Test(runtime, a_limit_set_in_time_is_kept) {
  cr_assert(SetIsaLimit(Isa::kBaseline).ok());
  cr_assert_eq(EffectiveIsa(), Isa::kBaseline);
}
