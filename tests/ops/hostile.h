// Operator cases whose integers an attacker chose: each must end in a result or in an error.
#ifndef INTMILL_TESTS_OPS_HOSTILE_H
#define INTMILL_TESTS_OPS_HOSTILE_H

#include "ops/case_file.h"

namespace intmill::test {

// Every integer and number that the node's file would hold (attributes and constants, with other
// element types and shapes, too) is replaced in turn by extreme ones, and the node is inferred, run
// by its reference and by its kernel. Returns how many variants ran; a crash or a sanitizer's
// finding is what can go wrong.
int64_t RunHostileVariants(const OpCase& c);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_HOSTILE_H
