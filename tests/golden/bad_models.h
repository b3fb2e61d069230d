// The wrong ONNX files whose messages are golden.
#ifndef INTMILL_TESTS_GOLDEN_BAD_MODELS_H
#define INTMILL_TESTS_GOLDEN_BAD_MODELS_H

#include <string>
#include <vector>

namespace intmill::test {

struct BadModel {
  std::string name;  // of its file in tests/golden/errors, without .onnx
  std::string bytes;
};
std::vector<BadModel> BadModels();

}  // namespace intmill::test

#endif  // INTMILL_TESTS_GOLDEN_BAD_MODELS_H
