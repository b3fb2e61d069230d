// Work in a process of its own: a clean figure of its memory, and a crash that is only its own.
#include "bench/compare/child.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/compare/statistics.h"

namespace intmill::bench {
namespace {

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void WriteAll(int pipe, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(pipe, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

[[noreturn]] void BeChild(const std::function<void(Findings&)>& work, int pipe) {
  Findings findings;
  try {
    work(findings);
  } catch (const std::exception& error) {
    findings.Set(kError, error.what());
  }
  std::string text;
  for (const auto& [key, value] : findings.values()) text += key + "\t" + OneLine(value) + "\n";
  WriteAll(pipe, text);
  _exit(0);  // no destructors: those of a foreign library may hang, and nobody needs them
}

std::string ReadAll(int pipe) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = read(pipe, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<size_t>(n));
  return text;
}

Findings Parse(const std::string& text) {
  Findings findings;
  for (size_t begin = 0; begin < text.size();) {
    const size_t tab = text.find('\t', begin);
    const size_t end = text.find('\n', tab);
    findings.Set(text.substr(begin, tab - begin), text.substr(tab + 1, end - tab - 1));
    begin = end + 1;
  }
  return findings;
}

}  // namespace

void Findings::SetNumber(const std::string& key, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  Set(key, text);
}

std::string Findings::Text(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

double Findings::Number(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? kNone : std::strtod(found->second.c_str(), nullptr);
}

Findings RunInChild(const std::function<void(Findings&)>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe to a child process");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    close(ends[0]);
    BeChild(work, ends[1]);
  }
  close(ends[1]);
  Findings findings = Parse(ReadAll(ends[0]));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    findings.Set(kError, std::string("the process crashed: ") + strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0)
    findings.Set(kError, "the process exited with " + std::to_string(WEXITSTATUS(status)));
  return findings;
}

double PeakMemoryMb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    double kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024 / 1e6;
  }
  return kNone;
}

void PinTo(int first, int count) {
  cpu_set_t allowed;
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    throw std::runtime_error("the CPUs of this process are unknown");
  int found = 0;
  for (int cpu = std::max(first, 0); cpu < CPU_SETSIZE && found < count; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &wanted);
    ++found;
  }
  if (found < count || sched_setaffinity(0, sizeof wanted, &wanted) != 0)
    throw std::runtime_error(std::to_string(count) + " CPUs wanted, " + std::to_string(found) +
                             " found");
}

}  // namespace intmill::bench
