// What the user sees: progress on a terminal, tables, sizes; and how the user stops the program.
#ifndef INTMILL_CLI_CONSOLE_H
#define INTMILL_CLI_CONSOLE_H

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace intmill::cli {

// From now on SIGINT and SIGTERM ask for a stop; a second one kills.
void CatchInterrupts();
bool IsInterrupted();
void ThrowIfInterrupted();
// Ends the program by the signal that interrupted it, so that a shell loop stops too.
[[noreturn]] void DieInterrupted();

// One line on standard error, redrawn in place; nothing when that is not a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool is_wanted);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // total 0: unknown.
  void Show(const std::string& stage, int64_t done, int64_t total);
  void Clear();

 private:
  bool is_shown_ = false;
  bool is_wanted_;
  std::chrono::steady_clock::time_point last_;
};

// Names in files may hold anything: without what would steer a terminal.
std::string Printable(std::string text);

// Columns padded to their widest cell, two spaces between; numbers to the right. Cells are made
// printable.
std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows);

std::string FormatBytes(double bytes);                 // "1.35 MB", powers of ten
std::string FormatNumber(double value, int decimals);  // "-" when not a number

// Peak resident memory of this process, in megabytes of 10^6 bytes.
double PeakMemoryMb();

}  // namespace intmill::cli

#endif  // INTMILL_CLI_CONSOLE_H
