// Breaks the models of ONNX's node tests, one byte each time: every operator meets attributes,
// types and shapes that its author did not think of. An argument says how many changes a model
// gets.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "conformance/archive.h"
#include "robustness/cases.h"
#include "support/shared_data.h"

namespace intmill::test {
namespace {

constexpr int64_t kChangesPerModel = 20;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The models of the node tests that pass.
std::vector<std::string> ReadModels(const std::string& node_folder) {
  std::vector<std::string> models;
  std::ifstream list(RepositoryFolder() + "/tests/conformance/expected.txt");
  for (std::string name; std::getline(list, name);)
    if (!name.starts_with('#'))
      models.push_back(ReadFile(node_folder + "/" + name + "/model.onnx"));
  return models;
}

int Main(int64_t changes) {
  const std::string shared = SharedFolder();
  if (shared.empty()) {
    std::printf(
        "skipped: no folder ../shared with ONNX's node tests (INTMILL_SHARED says where)\n");
    return kSkipped;
  }
  const std::string folder = UnpackNodeTests(shared);
  if (folder.empty()) return 1;
  const std::vector<std::string> models = ReadModels(folder);
  const auto count = static_cast<int64_t>(models.size());
  // Neighbours in the list are alike, so a child that dies young has still seen many operators.
  const int wrong = RunCases("node tests changed", count * changes, [&](int64_t i) {
    return Changed(models[static_cast<size_t>(i % count)], i);
  });
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main(int argc, char** argv) {
  return intmill::test::Main(argc > 1 ? std::atoll(argv[1]) : intmill::test::kChangesPerModel);
}
