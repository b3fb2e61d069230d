// What a kernel was made of, so that another process can make the same one without the work.
#ifndef INTMILL_TENSOR_KERNEL_RECORD_H
#define INTMILL_TENSOR_KERNEL_RECORD_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace intmill {

// Memory of several owners, none of whom writes into it.
using SharedBytes = std::shared_ptr<const std::byte>;

// Weights in the form that a kernel reads, 64-byte aligned: memory, or part of a mapped file.
struct PackedBlob {
  SharedBytes data;
  int64_t bytes = 0;
};

struct KernelRecord {
  std::string kernel;            // Kernel::name()
  std::vector<int64_t> choices;  // of oneDNN's implementations: those that stood their trials
  std::vector<PackedBlob> packed;
  // While a plan is compiled: the constant that the packed weights stand for; empty: none.
  std::string packed_value;
};

}  // namespace intmill

#endif  // INTMILL_TENSOR_KERNEL_RECORD_H
