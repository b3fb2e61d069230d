// One of ONNX's own node tests: a model of one operator, inputs, and the outputs they must give.
#ifndef INTMILL_TESTS_CONFORMANCE_NODE_TEST_H
#define INTMILL_TESTS_CONFORMANCE_NODE_TEST_H

#include <string>

namespace intmill::test {

// Runs the test in `folder` by references and compiled. The verdict is "passed", "failed: ..." or
// "unsupported: ..." with the reason.
std::string RunNodeTest(const std::string& folder);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_CONFORMANCE_NODE_TEST_H
