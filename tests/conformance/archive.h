// ONNX's node tests, unpacked.
#ifndef INTMILL_TESTS_CONFORMANCE_ARCHIVE_H
#define INTMILL_TESTS_CONFORMANCE_ARCHIVE_H

#include <string>

namespace intmill::test {

// The folder of the tests, unpacked from the shared folder's archive into the build folder, once
// for all programs; "" when that failed.
std::string UnpackNodeTests(const std::string& shared);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_CONFORMANCE_ARCHIVE_H
