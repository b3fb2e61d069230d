// intmill doctor: what this machine and this environment mean for speed and for results.
#include <cstdio>
#include <cstdlib>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

struct Variable {
  const char* name;
  const char* effect;
};

constexpr Variable kVariables[] = {
    {"OMP_NUM_THREADS", "limits threads where none are asked for"},
    {"OMP_THREAD_LIMIT", "limits threads of the whole process"},
    {"OMP_DYNAMIC", "lets OpenMP use fewer threads than asked"},
    {"OMP_WAIT_POLICY", "active: idle threads burn CPU; passive: they sleep"},
    {"OMP_PROC_BIND", "ties threads to CPUs"},
    {"OMP_PLACES", "ties threads to CPUs"},
    {"GOMP_CPU_AFFINITY", "ties threads to CPUs"},
    {"GOMP_SPINCOUNT", "how long idle threads burn CPU"},
    {"ONEDNN_MAX_CPU_ISA", "limits instruction sets: slower, and float results change"},
    {"DNNL_MAX_CPU_ISA", "limits instruction sets: slower, and float results change"},
    {"ONEDNN_CPU_ISA_HINTS", "changes the choice of kernels"},
    {"ONEDNN_DEFAULT_FPMATH_MODE", "lets float layers compute with fewer bits"},
    {"DNNL_DEFAULT_FPMATH_MODE", "lets float layers compute with fewer bits"},
    {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "bounds the memory for compiled kernels"},
    {"ONEDNN_VERBOSE", "prints every kernel call: slow"},
    {"DNNL_VERBOSE", "prints every kernel call: slow"},
    {"ONEDNN_JIT_DUMP", "writes generated code to files"},
    {"INTMILL_VERBOSE", "sends intmill's log to standard error"},
    {"MALLOC_ARENA_MAX", "memory against speed of allocation"},
    {"GLIBC_TUNABLES", "may hide instruction sets from the C library"},
    {"LD_PRELOAD", "foreign code in the process"},
};

int PrintJson(const Report& facts) {
  JsonObject result;
  std::vector<std::string> warnings;
  for (int64_t i = 0; i < facts.rows(); ++i) {
    result.Text(facts.Text(i, "key"), facts.Text(i, "value"));
    const std::string note = facts.Text(i, "note");
    if (!note.empty()) warnings.push_back(JsonText(note));
  }
  JsonObject environment;
  for (const auto& [name, effect] : kVariables) {
    if (const char* const value = std::getenv(name)) environment.Text(name, value);
  }
  result.Raw("environment", environment.text()).Raw("warnings", JsonArray(warnings));
  std::printf("%s\n", result.text().c_str());
  return 0;
}

int Doctor(const CommonOptions& common) {
  Report facts;
  Check(intmill_doctor(facts.Out()));
  if (common.json) return PrintJson(facts);
  std::vector<std::vector<std::string>> rows;
  for (int64_t i = 0; i < facts.rows(); ++i)
    rows.push_back({facts.Text(i, "key"), facts.Text(i, "value"), facts.Text(i, "note")});
  std::fputs(FormatTable({"fact", "value", "note"}, rows).c_str(), stdout);

  rows.clear();
  for (const auto& [name, effect] : kVariables) {
    if (const char* const value = std::getenv(name)) rows.push_back({name, value, effect});
  }
  std::printf("\n");
  if (rows.empty()) {
    std::printf("No environment variable that matters is set.\n");
  } else {
    std::fputs(FormatTable({"variable", "value", "effect"}, rows).c_str(), stdout);
  }
  return 0;
}

constexpr const char* kFooter =
    "isa_effective is what models will use: less than isa_detected when the environment limits "
    "it.\n"
    "Without a VNNI instruction set 8-bit models gain little. write_execute 'denied' means that a\n"
    "security policy forbids generating code, and only slow kernels remain. A note says what is\n"
    "wrong and what to do.\n"
    "\n"
    "Please add the output to a bug report, with that of 'intmill --version'.\n"
    "\n"
    "JSON: one object of facts, with \"environment\":{...} and \"warnings\":[...].";

}  // namespace

void AddDoctor(CommandLine& line) {
  auto common = std::make_shared<CommonOptions>();
  Command command = line.Add("doctor", "Show what this machine and environment mean for models");
  command.Footer(kFooter);
  AddJsonOption(command, *common);
  command.OnRun([common] { return Doctor(*common); });
}

}  // namespace intmill::cli
