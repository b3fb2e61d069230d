// What can go wrong in the program: a command line that cannot be right, and everything else.
#ifndef INTMILL_CLI_ERROR_H
#define INTMILL_CLI_ERROR_H

#include <sstream>
#include <stdexcept>
#include <string>

namespace intmill::cli {

// Something in the world is not as needed: a file, a model, the data. Exit code 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The command line asks for what cannot be. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The user pressed Ctrl-C; the program cleans up and dies of the signal.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

// Joins anything that can be written to a stream: Cat(path, ": found ", 3, ", wanted ", 4).
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

}  // namespace intmill::cli

#endif  // INTMILL_CLI_ERROR_H
