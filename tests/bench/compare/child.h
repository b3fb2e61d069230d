// Work in a process of its own: a clean figure of its memory, and a crash that is only its own.
#ifndef INTMILL_TESTS_BENCH_COMPARE_CHILD_H
#define INTMILL_TESTS_BENCH_COMPARE_CHILD_H

#include <functional>
#include <map>
#include <string>

namespace intmill::bench {

// What a child found out: keys and values, neither with a line break.
class Findings {
 public:
  void Set(const std::string& key, const std::string& value) { values_[key] = value; }
  void SetNumber(const std::string& key, double value);
  std::string Text(const std::string& key) const;  // "" when it is not there
  double Number(const std::string& key) const;     // NaN when it is not there
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

// Runs work in a forked process and returns its findings. What it throws, or the signal that ended
// it, is the finding kError.
Findings RunInChild(const std::function<void(Findings&)>& work);

constexpr const char* kError = "error";

// Largest resident memory of this process so far, in megabytes of 10^6 bytes.
double PeakMemoryMb();

// Keeps this process, and threads it starts later, on `count` of the CPUs it may use now, from CPU
// `first` on (-1: the first). Throws when there are fewer.
void PinTo(int first, int count);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_CHILD_H
