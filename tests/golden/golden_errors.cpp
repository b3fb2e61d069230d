// Loads every wrong file of tests/golden/errors and compares the messages with messages.txt there.
// With --write it makes the files and the messages anew; the difference is for a reviewer to read.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "golden/bad_models.h"
#include "import/load.h"

namespace intmill::test {
namespace {

std::string Folder() {
  const char* const repository = std::getenv("INTMILL_REPOSITORY");
  return std::string(repository == nullptr ? "." : repository) + "/tests/golden/errors/";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string MessageOf(const std::string& folder, const std::string& file) {
  const Result<Graph> graph = LoadModel(folder + file, {});
  if (graph.ok()) return "(loads)";
  const std::string& message = graph.status().message();
  const std::string shown =
      message.starts_with(folder) ? message.substr(folder.size()) : "(no file name) " + message;
  return std::to_string(static_cast<int>(graph.status().code())) + " " + shown;
}

void WriteFiles(const std::string& folder) {
  std::ofstream(folder + "weights.bin", std::ios::binary) << "0123456789abcdef";
  std::ofstream(folder + "messages.txt") << "";
  std::map<std::string, std::string> messages;
  for (const BadModel& model : BadModels()) {
    const std::string file = model.name + ".onnx";
    std::ofstream(folder + file, std::ios::binary) << model.bytes;
    messages[file] = MessageOf(folder, file);
  }
  std::ofstream out(folder + "messages.txt");
  for (const auto& [file, message] : messages) out << message << "\n";
}

int Compare(const std::string& folder) {
  std::istringstream lines(ReadFile(folder + "messages.txt"));
  std::map<std::string, std::string> wanted;  // by file
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find(' ') + 1;
    wanted[line.substr(begin, line.find(':') - begin)] = line;
  }
  int failures = 0;
  for (const BadModel& model : BadModels()) {
    const std::string file = model.name + ".onnx";
    if (ReadFile(folder + file) != model.bytes) {
      std::printf("%s differs from what bad_models.cpp writes\n", file.c_str());
      ++failures;
    }
    const std::string found = MessageOf(folder, file);
    if (found == wanted[file]) continue;
    std::printf("%s\n  wanted: %s\n  found:  %s\n", file.c_str(), wanted[file].c_str(),
                found.c_str());
    ++failures;
  }
  std::printf("%zu wrong files, %d with another message\n", wanted.size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main(int argc, char** argv) {
  const std::string folder = intmill::test::Folder();
  if (argc == 2 && std::string(argv[1]) == "--write") {
    intmill::test::WriteFiles(folder);
    return 0;
  }
  return intmill::test::Compare(folder);
}
