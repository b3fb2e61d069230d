// Kernels that are made while a scope lives leave a record of themselves, or follow one that an
// earlier process left: they then read its packed weights where they lie, and repeat no trial.
#ifndef INTMILL_KERNELS_PACKING_SCOPE_H
#define INTMILL_KERNELS_PACKING_SCOPE_H

#include <optional>
#include <utility>

#include "base/status.h"
#include "kernels/packed_memory.h"
#include "tensor/kernel_record.h"

namespace intmill {

// Of the calling thread, for one kernel. Scopes do not nest.
class PackingScope {
 public:
  explicit PackingScope(KernelRecord* written) : written_(written) { current_ = this; }
  explicit PackingScope(const KernelRecord* followed) : followed_(followed) { current_ = this; }
  ~PackingScope() { current_ = nullptr; }
  PackingScope(const PackingScope&) = delete;
  PackingScope& operator=(const PackingScope&) = delete;

  // Ends a record: what was packed for attempts that failed is dropped, as only the record holds
  // it. Or compares with it: kBadFormat when the kernel was not made as it says.
  Status Finish(std::string_view kernel);

  static PackingScope* current() { return current_; }
  bool is_followed() const { return followed_ != nullptr; }
  // The next packed weights; kBadFormat when there are none of this size.
  Result<SharedBytes> NextPacked(int64_t bytes);
  int64_t NextChoice();  // -1: none, no implementation was right
  void WritePacked(SharedBytes data, int64_t bytes);
  void WriteChoice(int64_t choice);

 private:
  static thread_local PackingScope* current_;
  KernelRecord* written_ = nullptr;
  const KernelRecord* followed_ = nullptr;
  size_t packed_taken_ = 0;
  size_t choices_taken_ = 0;
};

// Weights of `bytes` bytes in a kernel's own form: fill(memory) writes them into zeroed memory and
// answers a Status, unless an earlier process has.
template <typename Fill>
Result<SharedBytes> PackOnce(int64_t bytes, Fill&& fill) {
  PackingScope* const scope = PackingScope::current();
  if (scope != nullptr && scope->is_followed()) return scope->NextPacked(bytes);
  ASSIGN_OR_RETURN(std::shared_ptr<std::byte> memory, PackedMemory::Allocate(bytes));
  TRY(std::forward<Fill>(fill)(memory.get()));
  SharedBytes packed = std::move(memory);
  if (scope != nullptr) scope->WritePacked(packed, bytes);
  return packed;
}

// Which of several implementations to use: the first, counted from 0, that stands a trial.
class ChoiceOf {
 public:
  ChoiceOf() {
    PackingScope* const scope = PackingScope::current();
    if (scope != nullptr && scope->is_followed()) known_ = scope->NextChoice();
  }
  // Whether implementation i need not be tried at all, as another one was chosen.
  bool Skips(int64_t i) const { return known_ && *known_ != i; }
  bool is_known() const { return known_.has_value(); }
  static void Take(int64_t i) {
    PackingScope* const scope = PackingScope::current();
    if (scope != nullptr && !scope->is_followed()) scope->WriteChoice(i);
  }

 private:
  std::optional<int64_t> known_;
};

}  // namespace intmill

#endif  // INTMILL_KERNELS_PACKING_SCOPE_H
