// What the user sees: progress on a terminal, tables, sizes; and how the user stops the program.
#include "cli/console.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/error.h"

namespace intmill::cli {
namespace {

volatile std::sig_atomic_t interrupting_signal = 0;

void OnSignal(int signal) { interrupting_signal = signal; }

bool IsNumber(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.-+% ") == std::string::npos;
}

// Columns that a terminal uses for UTF-8 text: continuation bytes take none.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool IsInterrupted() { return interrupting_signal != 0; }

void ThrowIfInterrupted() {
  if (IsInterrupted()) throw Interrupted();
}

void DieInterrupted() {
  const int signal = interrupting_signal;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(1);
}

ProgressLine::ProgressLine(bool is_wanted)
    : is_wanted_(is_wanted && ::isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(const std::string& stage, int64_t done, int64_t total) {
  using std::chrono::steady_clock;
  if (!is_wanted_) return;
  const auto now = steady_clock::now();
  const bool is_last = total != 0 && done >= total;
  if (is_shown_ && !is_last && now - last_ < std::chrono::milliseconds(80)) return;
  last_ = now;
  is_shown_ = true;
  constexpr int kBar = 30;
  if (total <= 0) {
    std::fprintf(stderr, "\r\x1b[K%.40s", Printable(stage).c_str());
    return;
  }
  const auto filled = static_cast<int>(std::clamp<int64_t>(done, 0, total) * kBar / total);
  std::string bar(static_cast<size_t>(filled), '#');
  bar.resize(kBar, '.');
  std::fprintf(stderr, "\r\x1b[K%-16.40s [%s] %lld/%lld", Printable(stage).c_str(), bar.c_str(),
               static_cast<long long>(done), static_cast<long long>(total));
}

void ProgressLine::Clear() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
}

std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(header.size());
  std::transform(header.begin(), header.end(), widths.begin(), Width);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  const auto add_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - Width(row[i]), ' ');
      if (i != 0) line += "  ";
      line += Printable(IsNumber(row[i]) ? padding + row[i] : row[i] + padding);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add_row(header);
  for (const auto& row : rows) add_row(row);
  return text;
}

std::string FormatBytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    ++unit;
  }
  return Cat(FormatNumber(bytes, unit == 0 ? 0 : 2), " ", kUnits[unit]);
}

std::string FormatNumber(double value, int decimals) {
  if (std::isnan(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// VmHWM belongs to this program; getrusage's figure may come from the one that started it.
double PeakMemoryMb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) * 1024 / 1e6;
  }
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

}  // namespace intmill::cli
