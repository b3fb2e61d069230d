// The work in a model: multiply-adds of its products.
#ifndef INTMILL_TESTS_BENCH_COMPARE_MACS_H
#define INTMILL_TESTS_BENCH_COMPARE_MACS_H

#include "intmill/intmill.hpp"

namespace intmill::bench {

// Of one run of a float model with batch 1, from what intmill reports of its layers: convolutions
// and matrix products, nothing else. NaN when a size that counts is not known.
double CountMacs(const Model& model);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_MACS_H
