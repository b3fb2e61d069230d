// How much of anything an ONNX file may hold; a file beyond is refused before memory is spent on
// it.
#ifndef INTMILL_IMPORT_ONNX_LIMITS_H
#define INTMILL_IMPORT_ONNX_LIMITS_H

#include <cstdint>

namespace intmill::onnx {

inline constexpr int64_t kMinIrVersion = 3;
inline constexpr int64_t kMaxIrVersion = 13;
inline constexpr int64_t kMinOpset = 7;
inline constexpr int64_t kMaxOpset = 22;

inline constexpr int64_t kMaxNodes = 1'000'000;
inline constexpr int64_t kMaxValues = 2'000'000;
inline constexpr int64_t kMaxNameBytes = 1024;
inline constexpr int64_t kMaxAttributes = 64;  // of one node
inline constexpr int64_t kMaxExternalFiles = 64;
inline constexpr int64_t kMaxMetadataBytes = int64_t{16} << 20;

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_LIMITS_H
