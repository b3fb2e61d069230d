// Unpacks the archive with CMake, which reads .tar.zst and is there wherever this was built.
#include "conformance/archive.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>

#include "support/shared_data.h"

namespace intmill::test {
namespace {

namespace fs = std::filesystem;

bool Unpack(const fs::path& archive, const fs::path& folder) {
  const std::string command = "cd '" + folder.string() + "' && '" + INTMILL_CMAKE +
                              "' -E tar xf '" + fs::absolute(archive).string() + "'";
  return std::system(command.c_str()) == 0;
}

}  // namespace

std::string UnpackNodeTests(const std::string& shared) {
  const fs::path folder = BuildFolder() + "/conformance";
  fs::create_directories(folder);
  const int lock = open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) return "";
  const fs::path done = folder / "unpacked";
  const bool is_there =
      fs::exists(done) ||
      Unpack(shared + "/data/conformance/onnx-node-tests-v1.17.0.tar.zst", folder);
  if (is_there) std::ofstream(done) << "\n";
  close(lock);
  return is_there ? folder / "onnx-v1.17.0/onnx/backend/test/data/node" : "";
}

}  // namespace intmill::test
