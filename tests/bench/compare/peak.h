// The most a core can do: what a rate of operations is a share of.
#ifndef INTMILL_TESTS_BENCH_COMPARE_PEAK_H
#define INTMILL_TESTS_BENCH_COMPARE_PEAK_H

namespace intmill::bench {

// Billions of 8-bit operations a second of one core, by a loop of the dot products of AVX-512 VNNI,
// or of AMX where this process may use tiles; a multiply-add is two. NaN where the processor has no
// such instruction.
double MeasurePeakGops(bool may_use_tiles);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_PEAK_H
