// Small ONNX files made to cost a loader much time or memory.
#ifndef INTMILL_TESTS_ROBUSTNESS_BOMBS_H
#define INTMILL_TESTS_ROBUSTNESS_BOMBS_H

#include <string>
#include <vector>

namespace intmill::test {

struct Bomb {
  std::string name;
  std::string bytes;  // about 1 MiB at most
};
std::vector<Bomb> Bombs();

}  // namespace intmill::test

#endif  // INTMILL_TESTS_ROBUSTNESS_BOMBS_H
