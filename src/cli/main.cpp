// The intmill program: chooses the subcommand, and turns what went wrong into one line and a code.
#include <cstdio>
#include <string>

#include "cli/command.h"
#include "cli/error.h"

namespace intmill::cli {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

constexpr const char* kFooter =
    "A first session:\n"
    "  intmill inspect model.onnx\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy --scale 1/255\n"
    "  intmill verify model.onnx model.im --data image=test.npy --scale 1/255 --labels y.npy\n"
    "  intmill bench model.im --threads 2\n"
    "\n"
    "Exit code: 0 done; 1 failed, or verify found a drop above --max-drop; 2 wrong command line.\n"
    "Results go to standard output, with --json as one line; all else to standard error.\n"
    "'intmill COMMAND --help' explains each command with examples.";

int PrintError(const std::string& message, int code) {
  std::fprintf(stderr, "intmill: %s\n", Printable(message).c_str());
  return code;
}

int Run(int argc, char** argv) {
  CommandLine line("Quantizes, checks and runs neural networks on CPUs.", kFooter,
                   [] { return std::string(intmill_build_info()); });
  AddInspect(line);
  AddQuantize(line);
  AddCalibrate(line);
  AddMerge(line);
  AddSensitivity(line);
  AddExplain(line);
  AddReport(line);
  AddVerify(line);
  AddRun(line);
  AddBench(line);
  AddCompile(line);
  AddExport(line);
  AddDoctor(line);
  if (!line.Parse(argc, argv)) return 0;
  CatchInterrupts();
  const int code = line.Run();
  if (std::fflush(stdout) != 0) throw Failure("the result cannot be written to standard output");
  return code;
}

int ExitCodeOf(const Error& error) {
  if (error.status() == INTMILL_ERROR_CANCELLED && IsInterrupted()) DieInterrupted();
  return PrintError(error.what(),
                    error.status() == INTMILL_ERROR_INVALID_ARGUMENT ? kExitUsage : kExitFailure);
}

}  // namespace
}  // namespace intmill::cli

int main(int argc, char** argv) {
  using namespace intmill::cli;  // NOLINT(google-build-using-namespace): main is outside ours
  try {
    return Run(argc, argv);
  } catch (const UsageError& error) {
    return PrintError(error.what(), kExitUsage);
  } catch (const intmill::Error& error) {
    return ExitCodeOf(error);
  } catch (const Interrupted&) {
    DieInterrupted();
  } catch (const std::exception& error) {
    return PrintError(error.what(), kExitFailure);
  }
}
