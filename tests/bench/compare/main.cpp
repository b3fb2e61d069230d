// bench_compare: FP32 and 8-bit models in intmill and in ONNX Runtime, side by side.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

#include "bench/compare/measure.h"
#include "bench/compare/output.h"

namespace intmill::bench {
namespace {

// A folder that goes with its object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = std::filesystem::temp_directory_path() / "bench-compare-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void WriteFile(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) throw std::runtime_error(path + ": cannot be written");
}

int Compare(const Arguments& arguments) {
  if (arguments.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  std::string no_ort;
  Comparison comparison = DescribeMachine(arguments, no_ort);
  bool is_complete = true;
  for (const std::string& path : arguments.models) {
    const ScratchFolder scratch;
    std::fprintf(stderr, "bench_compare: %s\n", path.c_str());
    comparison.models.push_back(MeasureModel(arguments, path, scratch.path(), no_ort));
    const auto& figures = comparison.models.back().figures;
    is_complete =
        is_complete && figures[kIntmillF32].reason.empty() && figures[kIntmillInt8].reason.empty();
  }
  std::fputs(ToTable(comparison).c_str(), stdout);
  WriteFile(arguments.csv, ToCsv(comparison));
  WriteFile(arguments.json, ToJson(comparison));
  return is_complete ? 0 : 1;
}

}  // namespace
}  // namespace intmill::bench

// Exit status: 0, 1 when something did not run in intmill, 2 for a wrong command line.
int main(int argc, char** argv) {
  using namespace intmill::bench;  // NOLINT(google-build-using-namespace): main is theirs
  try {
    return Compare(ParseArguments({argv + 1, argv + argc}));
  } catch (const UsageError& error) {
    std::fprintf(stderr, "bench_compare: %s; see --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_compare: %s\n", error.what());
    return 1;
  }
}
