// CommandLine: declares the program's commands and options, and reads them from argv.
#ifndef INTMILL_CLI_COMMAND_LINE_H
#define INTMILL_CLI_COMMAND_LINE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// CLI11's header takes long to compile, so only command_line.cpp includes it.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace intmill::cli {

enum class Need { kOptional, kRequired };

// One subcommand. Values are written by CommandLine::Parse and must live until then.
class Command {
 public:
  Command(CLI::App* app, std::function<int()>* chosen) : app_(app), chosen_(chosen) {}

  // Options declared from now on stand under this title in the help.
  void Group(const std::string& title) { group_ = title; }
  void Positional(const std::string& name, std::string& value, const std::string& help,
                  Need need = Need::kRequired);
  // One or more.
  void Positionals(const std::string& name, std::vector<std::string>& values,
                   const std::string& help);
  void Flag(const std::string& names, bool& value, const std::string& help);
  void Text(const std::string& names, const std::string& form, std::string& value, Need need,
            const std::string& help);
  // May be given several times.
  void Texts(const std::string& names, const std::string& form, std::vector<std::string>& value,
             Need need, const std::string& help);
  void Choice(const std::string& names, const std::string& form, std::string& value,
              const std::vector<std::string>& choices, const std::string& help);
  void Integer(const std::string& names, const std::string& form, int64_t& value, int64_t lowest,
               int64_t highest, const std::string& help);
  void Number(const std::string& names, const std::string& form, std::optional<double>& value,
              double lowest, double highest, const std::string& help);
  // Explanations and examples, at the end of the help.
  void Footer(const std::string& text);
  // What the command does; answers the exit code.
  void OnRun(std::function<int()> run);

 private:
  void Finish(CLI::Option* option, const std::string& form, Need need);

  CLI::App* app_;
  std::function<int()>* chosen_;
  std::string group_ = "Options";
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& footer,
              std::function<std::string()> version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command Add(const std::string& name, const std::string& description);
  // Prints help or version and answers false, or throws UsageError, or leaves all values set.
  bool Parse(int argc, char** argv);
  // Runs the chosen command.
  int Run();

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<int()> chosen_;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_COMMAND_LINE_H
