// The host's ears: where log lines and progress go, and how it asks long work to stop.
#ifndef INTMILL_BASE_HOOKS_H
#define INTMILL_BASE_HOOKS_H

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"

namespace intmill {

enum class LogLevel { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3, kTrace = 4 };

// Copied by value into whatever outlives the call; both functions may be empty.
struct Hooks {
  std::function<void(LogLevel, const std::string& message)> log;
  // Returns false to ask for a stop. `total` is 0 when unknown.
  std::function<bool(const char* stage, int64_t done, int64_t total)> progress;

  void Log(LogLevel level, const std::string& message) const {
    if (log) log(level, message);
  }
  // kCancelled when the host asked to stop.
  Status Progress(const char* stage, int64_t done, int64_t total) const {
    if (progress && !progress(stage, done, total))
      return Error(Code::kCancelled, "stopped by the progress hook in stage '", stage, "'");
    return Ok();
  }
};

}  // namespace intmill

#endif  // INTMILL_BASE_HOOKS_H
