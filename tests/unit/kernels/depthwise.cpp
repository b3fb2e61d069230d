// 8-bit depthwise convolutions: the woven kernel against plain loops, bit for bit.
#include <criterion/criterion.h>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

Test(depthwise, every_level_and_thread_count_gives_the_bits_of_plain_loops) {
  constexpr int kProblems = 400;
  Random random(11);
  for (int i = 0; i < kProblems; ++i) {
    const ConvolutionProblem p = RandomDepthwise(random);
    const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
    cr_assert(plain.ok());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    cr_assert(!wanted.empty());
    for (const Isa isa : Levels()) {
      const auto fast = native::MakeDepthwise(p.conv, isa);
      cr_assert(fast.ok(), "%s", p.text.c_str());
      for (const int64_t threads : {1, 2, 4})
        cr_assert(Run(**fast, p.inputs(), p.output_bytes(), threads) == wanted,
                  "%s: %s differs with %d threads", p.text.c_str(),
                  std::string((*fast)->name()).c_str(), static_cast<int>(threads));
    }
  }
}
