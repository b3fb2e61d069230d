// The most a core can do: what a rate of operations is a share of.
#ifndef INTMILL_TESTS_BENCH_COMPARE_PEAK_H
#define INTMILL_TESTS_BENCH_COMPARE_PEAK_H

namespace intmill::bench {

// Billions of 8-bit operations a second of one core, by a loop of AVX-512 VNNI dot products, a
// multiply-add being two; NaN where the processor has no such instruction.
double MeasurePeakGops();

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_PEAK_H
