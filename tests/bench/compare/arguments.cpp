// The command line of the comparison.
#include "bench/compare/arguments.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace intmill::bench {

const char* const kUsage =
    R"(Usage: bench_compare [OPTION ...] MODEL.onnx ...

Times FP32 models in intmill and in ONNX Runtime, as they are and in 8 bits, by turns on the same
cores. intmill quantizes each model itself and writes it as ONNX for ONNX Runtime.

  --onnxruntime FILE       libonnxruntime.so to use; default: libonnxruntime.so.1, if there is one
  --threads N              threads, and cores they may use; default 1
  --cpu N                  the first of these cores; default: the first that is allowed
  --seconds S              time each way to run a model for S seconds; default 3
  --clock NAME             wall, or cpu: the time a run computed, not what it waited while others had
                           the core, for busy machines and one thread; default wall
  --samples N              random inputs to calibrate on; default 8
  --intmill-int8 NAME=FILE a model that is quantized already (intmill quantize, on real data), for
                           the model NAME.onnx
  --ort-int8 NAME=FILE     an 8-bit ONNX file for ONNX Runtime, in place of the one intmill writes
  --csv FILE, --json FILE  write the figures there too
  -h, --help               print this
)";

namespace {

template <typename T>
T ParseNumber(const std::string& option, const std::string& text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    throw UsageError(option + " " + text + ": wanted a number");
  return value;
}

void AddFile(std::map<std::string, std::string>& files, const std::string& option,
             const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    throw UsageError(option + " " + text + ": wanted NAME=FILE");
  files[text.substr(0, equals)] = text.substr(equals + 1);
}

bool ParseClock(const std::string& text) {
  if (text != "wall" && text != "cpu") throw UsageError("--clock " + text + ": wanted wall or cpu");
  return text == "cpu";
}

// False: there is no such option.
bool SetOption(Arguments& arguments, const std::string& option, const std::string& value) {
  if (option == "--onnxruntime") {
    arguments.onnxruntime = value;
  } else if (option == "--csv") {
    arguments.csv = value;
  } else if (option == "--json") {
    arguments.json = value;
  } else if (option == "--intmill-int8") {
    AddFile(arguments.intmill_int8, option, value);
  } else if (option == "--ort-int8") {
    AddFile(arguments.ort_int8, option, value);
  } else if (option == "--threads") {
    arguments.threads = ParseNumber(option, value, 1, 1024);
  } else if (option == "--cpu") {
    arguments.cpu = ParseNumber(option, value, 0, 1023);
  } else if (option == "--clock") {
    arguments.cpu_time = ParseClock(value);
  } else if (option == "--samples") {
    arguments.samples = ParseNumber(option, value, 1, 100000);
  } else if (option == "--seconds") {
    arguments.seconds = ParseNumber(option, value, 0.001, 3600.0);
  } else {
    return false;
  }
  return true;
}

void CheckNames(const Arguments& arguments) {
  for (const auto* files : {&arguments.intmill_int8, &arguments.ort_int8}) {
    for (const auto& [name, file] : *files) {
      const auto is_named = [&wanted = name](const std::string& model) {
        return NameOf(model) == wanted;
      };
      if (std::none_of(arguments.models.begin(), arguments.models.end(), is_named))
        throw UsageError(name + "=" + file + ": no model has that name");
    }
  }
}

}  // namespace

std::string NameOf(const std::string& path) { return std::filesystem::path(path).stem().string(); }

Arguments ParseArguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "-h" || words[i] == "--help") {
      arguments.help = true;
      return arguments;
    }
    if (!words[i].starts_with("-")) {
      arguments.models.push_back(words[i]);
    } else if (i + 1 == words.size()) {
      throw UsageError(words[i] + ": not an option, or its value is missing");
    } else if (!SetOption(arguments, words[i], words[i + 1])) {
      throw UsageError(words[i] + ": not an option");
    } else {
      ++i;
    }
  }
  if (arguments.models.empty()) throw UsageError("no model given");
  if (arguments.cpu_time && arguments.threads > 1)
    throw UsageError("--clock cpu: wanted one thread, or their times add up");
  CheckNames(arguments);
  return arguments;
}

}  // namespace intmill::bench
