// Arithmetic on sizes that come from files and callers: every operation says whether it fits.
#ifndef INTMILL_BASE_CHECKED_H
#define INTMILL_BASE_CHECKED_H

#include <cstdint>

namespace intmill {

[[nodiscard]] inline bool MulFits(int64_t a, int64_t b, int64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}
[[nodiscard]] inline bool AddFits(int64_t a, int64_t b, int64_t* out) {
  return !__builtin_add_overflow(a, b, out);
}
[[nodiscard]] inline bool SubFits(int64_t a, int64_t b, int64_t* out) {
  return !__builtin_sub_overflow(a, b, out);
}

// Rounds up to a multiple of `alignment`, a power of two.
[[nodiscard]] inline bool AlignUpFits(int64_t value, int64_t alignment, int64_t* out) {
  if (value < 0 || !AddFits(value, alignment - 1, out)) return false;
  *out &= ~(alignment - 1);
  return true;
}

}  // namespace intmill

#endif  // INTMILL_BASE_CHECKED_H
