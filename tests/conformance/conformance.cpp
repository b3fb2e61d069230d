// Runs ONNX's 1,288 node tests, each in a process of its own, and compares the list of those that
// pass with expected.txt. --update writes that list; a name as argument runs one test and says all.
// differs.txt lists the tests whose answer we refuse to give, with the reason.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "conformance/archive.h"
#include "conformance/node_test.h"
#include "support/isolated.h"
#include "support/shared_data.h"

namespace intmill::test {
namespace {

namespace fs = std::filesystem;
using Verdicts = std::map<std::string, std::string>;  // by test

constexpr int kSecondsPerTest = 30;
constexpr size_t kWorkers = 2;

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string Judge(const std::string& folder) {
  const Isolated run = RunIsolated(kSecondsPerTest, [&] { return RunNodeTest(folder); });
  return OneLine(run.finished ? run.text : run.failure);
}

// Worker `worker` takes every kWorkers-th test.
std::string JudgeShare(const std::string& node, const std::vector<std::string>& tests,
                       size_t worker) {
  std::string lines;
  for (size_t i = worker; i < tests.size(); i += kWorkers)
    lines += tests[i] + " " + Judge(node + "/" + tests[i]) + "\n";
  return lines;
}

// Workers are processes: their tests fork, which threads of ours must not do.
Verdicts JudgeAll(const std::string& node, const std::vector<std::string>& tests) {
  std::vector<FILE*> files;
  std::vector<pid_t> workers;
  for (size_t worker = 0; worker < kWorkers; ++worker) {
    files.push_back(std::tmpfile());
    const pid_t pid = fork();
    if (pid == 0) {
      internal::WriteAll(fileno(files[worker]), JudgeShare(node, tests, worker));
      _exit(0);
    }
    workers.push_back(pid);
  }
  Verdicts verdicts;
  for (size_t worker = 0; worker < kWorkers; ++worker) {
    waitpid(workers[worker], nullptr, 0);
    std::rewind(files[worker]);
    std::string text;
    char buffer[4096];
    while (const size_t got = std::fread(buffer, 1, sizeof(buffer), files[worker]))
      text.append(buffer, got);
    std::fclose(files[worker]);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      const size_t space = text.find(' ', begin);
      verdicts[text.substr(begin, space - begin)] = text.substr(space + 1, end - space - 1);
      begin = end + 1;
    }
  }
  return verdicts;
}

std::string ExpectedPath() { return RepositoryFolder() + "/tests/conformance/expected.txt"; }

// The first words of the lines, and what follows them.
std::map<std::string, std::string> ReadList(const std::string& path) {
  std::map<std::string, std::string> list;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find(' ');
    if (!line.empty() && line[0] != '#')
      list[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  return list;
}

// What failed as differs.txt foresees is no failure.
void ExplainDifferences(Verdicts& verdicts) {
  for (const auto& [name, reason] :
       ReadList(RepositoryFolder() + "/tests/conformance/differs.txt")) {
    const auto verdict = verdicts.find(name);
    if (verdict != verdicts.end() && verdict->second.starts_with("failed"))
      verdict->second = "differs on purpose: " + reason;
  }
}

void WriteExpected(const Verdicts& verdicts) {
  std::ofstream file(ExpectedPath());
  file << "# ONNX 1.17 node tests that pass. Written by: conformance --update\n";
  for (const auto& [name, verdict] : verdicts) {
    if (verdict == "passed") file << name << "\n";
  }
}

// All verdicts, sorted by kind, in the build folder; returns how many there are of each kind.
std::map<std::string, int> WriteReport(const Verdicts& verdicts) {
  std::map<std::string, int> counts;
  std::ofstream file(BuildFolder() + "/conformance.txt");
  for (const char* const kind :
       {"crashed", "exited", "hung", "failed", "differs", "unsupported", "passed"}) {
    for (const auto& [name, verdict] : verdicts) {
      if (!verdict.starts_with(kind)) continue;
      file << name << " " << verdict << "\n";
      ++counts[kind];
    }
  }
  return counts;
}

int CountSurprises(const Verdicts& verdicts) {
  const std::map<std::string, std::string> expected = ReadList(ExpectedPath());
  int surprises = 0;
  for (const auto& [name, verdict] : verdicts) {
    const bool is_expected = expected.contains(name);
    const bool is_known = verdict == "passed"
                              ? is_expected
                              : !is_expected && (verdict.starts_with("unsupported") ||
                                                 verdict.starts_with("differs"));
    if (is_known) continue;
    ++surprises;
    std::printf("%s %s%s\n", name.c_str(), verdict.c_str(),
                verdict == "passed" ? ", but expected.txt does not list it (--update)" : "");
  }
  for (const auto& [name, nothing] : expected) {
    if (verdicts.contains(name)) continue;
    ++surprises;
    std::printf("%s is listed in expected.txt, but there is no such test\n", name.c_str());
  }
  return surprises;
}

int RunAll(const std::string& node, bool is_update) {
  std::vector<std::string> tests;
  for (const fs::directory_entry& entry : fs::directory_iterator(node))
    tests.push_back(entry.path().filename().string());
  std::sort(tests.begin(), tests.end());
  Verdicts verdicts = JudgeAll(node, tests);
  ExplainDifferences(verdicts);
  for (const auto& [kind, count] : WriteReport(verdicts))
    std::printf("%5d %s\n", count, kind.c_str());
  std::printf("%5zu in all; each with its reason in %s/conformance.txt\n", verdicts.size(),
              BuildFolder().c_str());
  if (is_update) {
    WriteExpected(verdicts);
    return 0;
  }
  return CountSurprises(verdicts) == 0 && verdicts.size() == tests.size() ? 0 : 1;
}

int Main(int argc, char** argv) {
  const std::string shared = SharedFolder();
  if (shared.empty()) {
    std::printf(
        "skipped: no folder ../shared with ONNX's node tests (INTMILL_SHARED says where)\n");
    return kSkipped;
  }
  const std::string node = UnpackNodeTests(shared);
  if (node.empty()) {
    std::printf("the archive of node tests could not be unpacked\n");
    return 1;
  }
  const std::string argument = argc > 1 ? argv[1] : "";
  if (argument.empty() || argument == "--update") return RunAll(node, argument == "--update");
  const std::string verdict = RunNodeTest(node + "/" + argument);
  std::printf("%s\n", verdict.c_str());
  return verdict == "passed" ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main(int argc, char** argv) { return intmill::test::Main(argc, argv); }
