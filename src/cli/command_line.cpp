// CommandLine: declares the program's commands and options, and reads them from argv.
#include "cli/command_line.h"

#include <algorithm>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/error.h"

namespace intmill::cli {
namespace {

// Breaks descriptions into lines that a terminal holds beside the option's name.
class WrappingFormatter : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    constexpr size_t kLine = 70;
    std::string text = CLI::Formatter::make_option_desc(option);
    size_t begin = 0;
    while (text.size() - begin > kLine) {
      const size_t space = text.rfind(' ', begin + kLine);
      if (space == std::string::npos || space <= begin) break;
      text[space] = '\n';
      begin = space + 1;
    }
    return text;
  }
};

}  // namespace

void Command::Finish(CLI::Option* option, const std::string& form, Need need) {
  if (!form.empty()) option->option_text(form);
  option->required(need == Need::kRequired)->group(group_);
}

void Command::Positional(const std::string& name, std::string& value, const std::string& help,
                         Need need) {
  app_->add_option(name, value, help)->option_text("FILE")->required(need == Need::kRequired);
}

void Command::Positionals(const std::string& name, std::vector<std::string>& values,
                          const std::string& help) {
  app_->add_option(name, values, help)->option_text("FILE...")->required();
}

void Command::Flag(const std::string& names, bool& value, const std::string& help) {
  app_->add_flag(names, value, help)->group(group_);
}

void Command::Text(const std::string& names, const std::string& form, std::string& value, Need need,
                   const std::string& help) {
  Finish(app_->add_option(names, value, help), form, need);
}

void Command::Texts(const std::string& names, const std::string& form,
                    std::vector<std::string>& value, Need need, const std::string& help) {
  Finish(app_->add_option(names, value, help)->allow_extra_args(false), form, need);
}

void Command::Choice(const std::string& names, const std::string& form, std::string& value,
                     const std::vector<std::string>& choices, const std::string& help) {
  Finish(app_->add_option(names, value, help)->check(CLI::IsMember(choices)), form,
         Need::kOptional);
}

void Command::Integer(const std::string& names, const std::string& form, int64_t& value,
                      int64_t lowest, int64_t highest, const std::string& help) {
  Finish(app_->add_option(names, value, help)->check(CLI::Range(lowest, highest)), form,
         Need::kOptional);
}

void Command::Number(const std::string& names, const std::string& form,
                     std::optional<double>& value, double lowest, double highest,
                     const std::string& help) {
  Finish(app_->add_option(names, value, help)->check(CLI::Range(lowest, highest)), form,
         Need::kOptional);
}

void Command::Footer(const std::string& text) { app_->footer(text); }

void Command::OnRun(std::function<int()> run) {
  app_->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
}

CommandLine::CommandLine(const std::string& description, const std::string& footer,
                         std::function<std::string()> version)
    : app_(std::make_unique<CLI::App>(description, "intmill")) {
  const auto formatter = std::make_shared<WrappingFormatter>();
  formatter->column_width(26);
  app_->formatter(formatter);  // before the commands, which take it over
  app_->set_version_flag("--version", std::move(version));
  app_->require_subcommand(1);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Command CommandLine::Add(const std::string& name, const std::string& description) {
  return Command(app_->add_subcommand(name, description), &chosen_);
}

bool CommandLine::Parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    return true;
  } catch (const CLI::Success& success) {  // --help, --version
    app_->exit(success);
    return false;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app_->get_subcommands();
    const std::string name = chosen.empty() ? "" : chosen.front()->get_name() + " ";
    const bool is_unknown = chosen.empty() && argc > 1 && argv[1][0] != '-';
    const std::string text = error.what();
    throw UsageError(
        Cat(is_unknown ? Cat("'", argv[1], "' is not a command") : text.substr(0, text.find('\n')),
            " (see: intmill ", name, "--help)"));
  }
}

int CommandLine::Run() { return chosen_(); }

}  // namespace intmill::cli
