// The pools of a structure, read from front to back: whoever asks gets the next piece, once.
#ifndef INTMILL_FORMAT_POOLS_H
#define INTMILL_FORMAT_POOLS_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "format/model_generated.h"
#include "tensor/shape.h"

namespace intmill::format {

// One vector of the FlatBuffer; an absent one is empty.
template <typename T>
class Pool {
 public:
  Pool(const char* name, const flatbuffers::Vector<const T*>* rows) : name_(name) {
    if (rows != nullptr) all_ = {reinterpret_cast<const T*>(rows->Data()), rows->size()};
  }
  Pool(const char* name, const flatbuffers::Vector<T>* numbers) : name_(name) {
    if (numbers != nullptr) all_ = {numbers->data(), numbers->size()};
  }

  Result<std::span<const T>> TakeAll() { return Take(static_cast<int64_t>(all_.size() - taken_)); }
  Result<std::span<const T>> Take(int64_t count) {
    // The FlatBuffers verifier checks where a vector begins, not how its elements are aligned. It
    // writes a vector of none anywhere.
    if (!all_.empty() && reinterpret_cast<uintptr_t>(all_.data()) % alignof(T) != 0)
      return Error(Code::kBadFormat, "the ", name_, " are misaligned");
    if (count < 0 || static_cast<uint64_t>(count) > all_.size() - taken_) {
      return Error(Code::kBadFormat, count, " ", name_, " wanted, ", all_.size() - taken_,
                   " are left");
    }
    const std::span<const T> piece = all_.subspan(taken_, static_cast<size_t>(count));
    taken_ += piece.size();
    return piece;
  }
  Status CheckEmpty() const {
    if (taken_ == all_.size()) return Ok();
    return Error(Code::kBadFormat, all_.size() - taken_, " ", name_, " belong to nothing");
  }

 private:
  const char* name_;
  std::span<const T> all_;
  size_t taken_ = 0;
};

class Pools {
 public:
  explicit Pools(const Model& model);

  Result<std::string> String();
  // A string that is a name: not empty unless it may be, at most kMaxNameBytes long.
  Result<std::string> Name(bool may_be_empty);
  Result<std::vector<std::string>> Strings(int64_t count);
  // Dimensions are >= 0, or kDynamic where that is allowed.
  Result<Shape> Dims(int64_t rank, bool may_be_dynamic);
  Status CheckEmpty() const;

  Pool<AttributeRow> attributes;
  Pool<TensorRow> tensors;
  Pool<int32_t> ids;
  Pool<int64_t> ints;
  Pool<float> floats;

 private:
  Pool<int64_t> dims_;
  Pool<uint32_t> string_bytes_;
  Pool<uint8_t> characters_;
};

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_POOLS_H
