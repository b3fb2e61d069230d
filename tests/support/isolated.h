// Runs a piece of a test in a child process, so that a crash or a hang is a result and not the end.
#ifndef INTMILL_TESTS_SUPPORT_ISOLATED_H
#define INTMILL_TESTS_SUPPORT_ISOLATED_H

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <poll.h>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace intmill::test {

struct Isolated {
  bool finished = false;  // the body returned in time
  std::string text;       // what it returned
  std::string failure;    // otherwise: "crashed: Segmentation fault", "hung for 10 s"
};

namespace internal {

inline void WriteAll(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

// False when the time is over before the pipe is closed.
inline bool ReadAll(int fd, int seconds, std::string& text) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  char buffer[4096];
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got <= 0) return true;
    text.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace internal

// The caller must not have run any OpenMP region: the child would inherit its locks.
inline Isolated RunIsolated(int seconds, const std::function<std::string()>& body) {
  Isolated result;
  int pipes[2];
  if (pipe(pipes) != 0) {
    result.failure = "pipe failed";
    return result;
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(pipes[0]);
    internal::WriteAll(pipes[1], body());
    _exit(0);
  }
  close(pipes[1]);
  if (child < 0) {
    close(pipes[0]);
    result.failure = "fork failed";
    return result;
  }
  const bool in_time = internal::ReadAll(pipes[0], seconds, result.text);
  close(pipes[0]);
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (!in_time) {
    result.failure = "hung for " + std::to_string(seconds) + " s";
  } else if (WIFSIGNALED(status)) {
    result.failure = std::string("crashed: ") + strsignal(WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    result.failure = "exited with " + std::to_string(WEXITSTATUS(status));
  } else {
    result.finished = true;
  }
  return result;
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_ISOLATED_H
