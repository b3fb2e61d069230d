// Tests that every real model that loads is the same after export and import.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "export/standard_form.h"
#include "import/load.h"
#include "support/shared_data.h"
#include "unit/export/written.h"

using namespace intmill;
using namespace intmill::test;

namespace {

std::vector<std::string> RealModels() {
  std::vector<std::string> paths;
  const std::filesystem::path folder = SharedFolder() + "/models/onnx";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".onnx") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

Test(shared_models, all_that_load_survive) {
  if (SharedFolder().empty()) cr_skip_test("no folder ../shared (INTMILL_SHARED says where)");
  int64_t count = 0;
  for (const std::string& path : RealModels()) {
    const Result<Graph> graph = LoadModel(path, {});
    if (!graph.ok() && graph.status().code() == Code::kUnsupported) continue;
    cr_assert(graph.ok(), "%s", graph.status().message().c_str());
    Result<Graph> standard = ToStandardForm(*graph);
    cr_assert(standard.ok(), "%s: %s", path.c_str(), standard.status().message().c_str());
    cr_assert(InferShapes(*standard).ok(), "%s", path.c_str());
    ExpectEqual(Imported(Exported(*graph)), *standard, path.c_str());
    ++count;
  }
  cr_expect_geq(count, 15);
}
