// What every C entry goes through: nothing escapes, and every failure leaves its reason.
#ifndef INTMILL_CAPI_GUARD_H
#define INTMILL_CAPI_GUARD_H

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "intmill/intmill.h"

namespace intmill::capi {

// Sets the calling thread's last error and answers its number. For use in a catch block.
intmill_status FailWithException() noexcept;
intmill_status Fail(const Status& status) noexcept;
const char* LastError() noexcept;

template <typename Body>
intmill_status Guard(Body&& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? INTMILL_OK : Fail(status);
  } catch (...) {
    return FailWithException();
  }
}

// A guarded call that makes an object: `make` returns Result<std::unique_ptr<T>>.
template <typename T, typename Make>
intmill_status Create(T** out, Make&& make) noexcept {
  if (out != nullptr) *out = nullptr;
  return Guard([&]() -> Status {
    if (out == nullptr) return Error(Code::kInvalidArgument, "out is NULL");
    ASSIGN_OR_RETURN(std::unique_ptr<T> object, make());
    *out = object.release();
    return Ok();
  });
}

// Getters answer `fallback` where a call that returns a status would fail.
template <typename T, typename Body>
T Get(T fallback, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return fallback;
  }
}

inline Status CheckPointer(const void* pointer, std::string_view name) {
  return pointer != nullptr ? Ok() : Error(Code::kInvalidArgument, name, " is NULL");
}

Status CheckText(const char* text, std::string_view name);  // not NULL, UTF-8
// `count` entries behind `list`, none of them to be looked at when there are none.
Status CheckList(const void* list, int64_t count, std::string_view name);

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_GUARD_H
