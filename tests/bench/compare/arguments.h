// The command line of the comparison.
#ifndef INTMILL_TESTS_BENCH_COMPARE_ARGUMENTS_H
#define INTMILL_TESTS_BENCH_COMPARE_ARGUMENTS_H

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace intmill::bench {

struct Arguments {
  std::vector<std::string> models;
  std::string onnxruntime;  // empty: libonnxruntime.so.1, wherever the loader finds it
  std::string csv;
  std::string json;
  std::map<std::string, std::string> intmill_int8;  // model name, file
  std::map<std::string, std::string> ort_int8;
  int threads = 1;
  int cpu = -1;  // the first one to use; -1: the first that this process may use
  int samples = 8;
  double seconds = 3;
  bool cpu_time = false;  // time is what the process spent computing, not what passed
  bool help = false;
};

// The command line is wrong; what() says how, in one line.
class UsageError : public std::runtime_error {
  using runtime_error::runtime_error;
};

extern const char* const kUsage;

Arguments ParseArguments(const std::vector<std::string>& words);

// resnet50 of models/resnet50.onnx.
std::string NameOf(const std::string& path);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_ARGUMENTS_H
