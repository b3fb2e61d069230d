// Where the models and data lie that are too large for the repository.
#ifndef INTMILL_TESTS_SUPPORT_SHARED_DATA_H
#define INTMILL_TESTS_SUPPORT_SHARED_DATA_H

#include <cstdlib>
#include <filesystem>
#include <string>

namespace intmill::test {

inline std::string Environment(const char* name, const std::string& fallback) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

inline std::string RepositoryFolder() { return Environment("INTMILL_REPOSITORY", "."); }
inline std::string BuildFolder() { return Environment("INTMILL_BUILD", "."); }

// The folder, or "" when this machine has none: then tests skip and say so.
inline std::string SharedFolder() {
  const std::string folder = Environment("INTMILL_SHARED", RepositoryFolder() + "/../shared");
  return std::filesystem::is_directory(folder) ? folder : "";
}

inline constexpr int kSkipped = 77;  // exit status of a plain test program

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_SHARED_DATA_H
