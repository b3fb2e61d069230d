// Runs the cases of the .case files named on the command line; the exit status is the verdict.
//   op_cases FILE...            every case holds
//   op_cases --wrong FILE...    every case is wrong, and the harness notices
//   op_cases --hostile FILE...  no variant of a case with extreme numbers in it crashes
#include <cstdio>
#include <string_view>

#include "ops/harness.h"
#include "ops/hostile.h"

namespace {

using intmill::test::OpCase;

struct Count {
  long long passed = 0;
  long long failed = 0;
};

void Run(const char* file, const OpCase& c, bool must_fail, Count& count) {
  const std::vector<std::string> failures = intmill::test::RunCase(c);
  const bool as_wanted = failures.empty() != must_fail;
  ++(as_wanted ? count.passed : count.failed);
  if (as_wanted) return;
  const auto line = static_cast<long long>(c.line);
  if (must_fail) std::printf("%s:%lld: %s: nothing was noticed\n", file, line, c.name.c_str());
  for (const std::string& failure : failures)
    std::printf("%s:%lld: %s: %s\n", file, line, c.name.c_str(), failure.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  Count count;
  for (int i = mode.starts_with("--") ? 2 : 1; i < argc; ++i) {
    const auto cases = intmill::test::ReadCases(argv[i]);
    if (!cases.ok()) {
      std::printf("%s\n", cases.status().message().c_str());
      return 2;
    }
    for (const OpCase& c : *cases) {
      if (mode == "--hostile")
        count.passed += intmill::test::RunHostileVariants(c);
      else
        Run(argv[i], c, mode == "--wrong", count);
    }
  }
  std::printf("%lld passed, %lld failed\n", count.passed, count.failed);
  return count.failed == 0 && count.passed > 0 ? 0 : 1;
}
