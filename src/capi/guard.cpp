// The last error of each thread.
#include "capi/guard.h"

#include <exception>
#include <new>
#include <string>

#include "base/json.h"

namespace intmill::capi {
namespace {

// A fixed text stands in where there is no memory for a message.
struct Failure {
  std::string text;
  const char* fixed = "";
};
thread_local Failure last;

// One line of UTF-8, whatever the names in it hold.
std::string OneLine(std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const auto length = static_cast<size_t>(Utf8Length(message));
    const auto first = static_cast<unsigned char>(message.front());
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (length == 1 && (first < 0x20 || first == 0x7f))
      out += ' ';
    else
      out += message.substr(0, length);
    message.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

intmill_status FailFixed(intmill_status status, const char* text) noexcept {
  last.fixed = text;
  return status;
}

// A hook of ours never fails; kHook is what a caller's own code answers inside the library.
intmill_status StatusOf(Code code) noexcept {
  return code == Code::kHook ? INTMILL_ERROR_CANCELLED : static_cast<intmill_status>(code);
}

}  // namespace

intmill_status Fail(const Status& status) noexcept {
  try {
    last.text = OneLine(status.message());
    last.fixed = nullptr;
    return StatusOf(status.code());
  } catch (...) {
    return FailFixed(StatusOf(status.code()), "no memory for the message");
  }
}

intmill_status FailWithException() noexcept {
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    return FailFixed(INTMILL_ERROR_OUT_OF_MEMORY, "memory ran out");
  } catch (const std::exception& unexpected) {
    return Fail(Error(Code::kInternal, "unexpected exception: ", unexpected.what()));
  } catch (...) {
    return FailFixed(INTMILL_ERROR_INTERNAL, "unexpected exception");
  }
}

const char* LastError() noexcept { return last.fixed != nullptr ? last.fixed : last.text.c_str(); }

Status CheckText(const char* text, std::string_view name) {
  TRY(CheckPointer(text, name));
  return IsUtf8(text) ? Ok() : Error(Code::kInvalidArgument, name, " is not UTF-8");
}

Status CheckList(const void* list, int64_t count, std::string_view name) {
  if (count < 0) return Error(Code::kInvalidArgument, "the count of ", name, " is ", count);
  return count == 0 ? Ok() : CheckPointer(list, name);
}

}  // namespace intmill::capi
