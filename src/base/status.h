// Errors as values: Status and Result<T>, and the two macros that pass them on.
#ifndef INTMILL_BASE_STATUS_H
#define INTMILL_BASE_STATUS_H

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace intmill {

// What the caller can do next; the numbers are those of intmill_status in the public header.
enum class Code {
  kOk = 0,
  kInvalidArgument = 1,
  kOutOfMemory = 2,
  kIo = 3,
  kBadFormat = 4,
  kBadVersion = 5,
  kUnsupported = 6,
  kShape = 7,
  kState = 8,
  kCancelled = 9,
  kHook = 10,
  kInternal = 99,
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // Puts a place in front of the message: "model.onnx: node 'conv1' (Conv): ...". OK stays OK.
  // `place`: text, or a function that answers it and is called for errors only.
  template <typename Place>
  Status At(const Place& place) && {
    if (ok()) return std::move(*this);
    if constexpr (std::is_invocable_v<const Place&>)
      message_ = place() + ": " + message_;
    else
      message_ = std::string(place) + ": " + message_;
    return std::move(*this);
  }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status Ok() { return {}; }

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  template <typename Place>
  Result At(const Place& place) && {
    status_ = std::move(status_).At(place);
    return std::move(*this);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

// Joins anything that a message needs into one string: Cat("found ", 3, ", wanted ", 4).
namespace internal {
inline void Append(std::string& out, std::string_view text) { out += text; }
inline void Append(std::string& out, char c) { out += c; }
template <typename T>
requires std::is_arithmetic_v<T>
void Append(std::string& out, T number) { out += std::to_string(number); }
}  // namespace internal

template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  (internal::Append(out, parts), ...);
  return out;
}

template <typename... Parts>
Status Error(Code code, const Parts&... parts) {
  return Status(code, Cat(parts...));
}

}  // namespace intmill

#define INTMILL_CONCAT_INNER(a, b) a##b
#define INTMILL_CONCAT(a, b) INTMILL_CONCAT_INNER(a, b)

// Returns the Status of `expr` from the enclosing function unless it is OK.
#define TRY(expr)                                      \
  do {                                                 \
    ::intmill::Status intmill_status_ = (expr);        \
    if (!intmill_status_.ok()) return intmill_status_; \
  } while (0)

// ASSIGN_OR_RETURN(const Tensor t, MakeTensor()): declares t, or returns the Status.
#define ASSIGN_OR_RETURN(declaration, expr)                               \
  auto INTMILL_CONCAT(intmill_result_, __LINE__) = (expr);                \
  if (!INTMILL_CONCAT(intmill_result_, __LINE__).ok())                    \
    return std::move(INTMILL_CONCAT(intmill_result_, __LINE__)).status(); \
  declaration = *std::move(INTMILL_CONCAT(intmill_result_, __LINE__))

#endif  // INTMILL_BASE_STATUS_H
