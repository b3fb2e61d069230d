// intmill bench: how fast a model runs here, one run after another.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 3;
constexpr size_t kLeastRuns = 5;
constexpr double kDefaultSeconds = 3;

struct BenchOptions {
  CommonOptions common;
  std::string model;
  std::vector<std::string> shapes;
  int64_t batch = 1;
  std::optional<double> duration;
};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Dims ParseShape(std::string_view text, const std::string& argument) {
  Dims dims;
  for (;;) {
    const size_t x = text.find('x');
    const std::string_view item = text.substr(0, x);
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), dim);
    if (error != std::errc() || end != item.data() + item.size() || dim < 1)
      throw UsageError(Cat("--shape ", argument, ": wanted NAME=1x3x224x224"));
    dims.push_back(dim);
    if (x == std::string_view::npos) return dims;
    text.remove_prefix(x + 1);
  }
}

std::map<std::string, Dims> ParseShapes(const BenchOptions& options,
                                        const std::vector<Port>& ports) {
  std::map<std::string, Dims> shapes;
  for (const std::string& argument : options.shapes) {
    const size_t equals = argument.rfind('=');
    if (equals == std::string::npos && ports.size() != 1)
      throw UsageError(Cat("--shape ", argument, ": which input? wanted NAME=1x3x224x224"));
    const std::string name =
        equals == std::string::npos ? ports[0].name : argument.substr(0, equals);
    const auto is_named = [&](const Port& port) { return port.name == name; };
    if (std::none_of(ports.begin(), ports.end(), is_named))
      throw UsageError(Cat("--shape: '", name, "' is not an input of ", options.model));
    const size_t begin = equals == std::string::npos ? 0 : equals + 1;
    shapes[name] = ParseShape(std::string_view(argument).substr(begin), argument);
  }
  return shapes;
}

// The shape to run an input with: as given, or the model's with the batch in its free first place.
Dims ShapeOf(const Port& port, const std::map<std::string, Dims>& shapes,
             const BenchOptions& options) {
  const auto given = shapes.find(port.name);
  if (given != shapes.end()) return given->second;
  Dims dims = port.dims;
  if (!dims.empty() && dims[0] == -1) dims[0] = options.batch;
  if (std::find(dims.begin(), dims.end(), -1) != dims.end())
    throw UsageError(Cat("input '", port.name, "' is ", ShapeText(port.dims), ": give --shape ",
                         port.name, "=", ShapeText(dims), " with a size for each ?"));
  if (options.batch != 1 && (dims.empty() || dims[0] != options.batch))
    throw UsageError(
        Cat("--batch ", options.batch, ": input '", port.name, "' is ", ShapeText(port.dims)));
  return dims;
}

// Random numbers; integers wider than a byte are 0, which is a valid index everywhere.
Tensor MakeInput(intmill_dtype dtype, const Dims& dims) {
  if (ElementCount(dims) < 0) throw UsageError(Cat("--shape ", ShapeText(dims), ": too large"));
  Tensor tensor(dtype, dims);
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same input in every run
  const int64_t count = ElementCount(dims);
  if (dtype == INTMILL_F32) {
    for (int64_t i = 0; i < count; ++i)
      tensor.data<float>()[i] = static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
  } else if (dtype == INTMILL_U8 || dtype == INTMILL_S8) {
    for (int64_t i = 0; i < count; ++i)
      tensor.data<uint8_t>()[i] = static_cast<uint8_t>(random() >> 24);
  }
  return tensor;
}

// Milliseconds of each run, sorted.
std::vector<double> TimeRuns(Binding& binding, double seconds, Work& work) {
  for (int i = 0; i < kWarmUpRuns; ++i) binding.Run();
  std::vector<double> times;
  const auto start = Clock::now();
  const auto wanted = std::chrono::duration<double>(seconds);
  while (times.size() < kLeastRuns || Clock::now() - start < wanted) {
    ThrowIfInterrupted();
    const auto begin = Clock::now();
    binding.Run();
    times.push_back(Milliseconds(Clock::now() - begin));
    work.line().Show("bench", static_cast<int64_t>(Milliseconds(Clock::now() - start)),
                     static_cast<int64_t>(seconds * 1000));
  }
  work.line().Clear();
  std::sort(times.begin(), times.end());
  return times;
}

// The smallest time that `share` of the runs did not exceed.
double Quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

struct Measurement {
  double load_ms = 0;
  int64_t batch = 1;
  std::vector<double> times;
};

Measurement Measure(const BenchOptions& options) {
  Work work(options.common);
  Measurement result;
  const auto start = Clock::now();
  const Model model = work.Load(options.model);
  const Session session(model, work.options());
  Binding binding(session);
  result.load_ms = Milliseconds(Clock::now() - start);

  const std::vector<Port> ports = model.Ports(INTMILL_INPUT);
  const auto shapes = ParseShapes(options, ports);
  for (size_t i = 0; i < ports.size(); ++i) {
    const Dims dims = ShapeOf(ports[i], shapes, options);
    if (i == 0 && !dims.empty()) result.batch = dims[0];
    binding.Set(INTMILL_INPUT, static_cast<int64_t>(i), MakeInput(ports[i].dtype, dims));
  }
  result.times = TimeRuns(binding, options.duration.value_or(kDefaultSeconds), work);
  return result;
}

std::string Fact(const Report& doctor, const char* key) {
  return doctor.Text(doctor.Row(key), "value");
}

int Bench(const BenchOptions& options) {
  const Measurement measured = Measure(options);
  Report doctor;
  Check(intmill_doctor(doctor.Out()));
  const std::string isa = Fact(doctor, "isa_effective");
  const int64_t threads = options.common.threads != 0
                              ? options.common.threads
                              : std::strtoll(Fact(doctor, "threads").c_str(), nullptr, 10);
  const double median = Quantile(measured.times, 0.5);
  const double p90 = Quantile(measured.times, 0.9);
  if (options.common.json) {
    const JsonObject result = JsonObject()
                                  .Text("model", options.model)
                                  .Integer("threads", threads)
                                  .Integer("batch", measured.batch)
                                  .Number("median_ms", median, 4)
                                  .Number("p90_ms", p90, 4)
                                  .Number("min_ms", measured.times.front(), 4)
                                  .Number("load_ms", measured.load_ms, 3)
                                  .Number("peak_rss_mb", PeakMemoryMb(), 1)
                                  .Integer("runs", std::ssize(measured.times))
                                  .Text("isa", isa);
    std::printf("%s\n", result.text().c_str());
    return 0;
  }
  std::printf("%s  batch %lld, %lld threads, %s\n", options.model.c_str(),
              static_cast<long long>(measured.batch), static_cast<long long>(threads), isa.c_str());
  std::fputs(
      FormatTable({"median ms", "p90 ms", "min ms", "runs", "samples/s", "load ms", "peak MB"},
                  {{FormatNumber(median, 3), FormatNumber(p90, 3),
                    FormatNumber(measured.times.front(), 3), Cat(measured.times.size()),
                    FormatNumber(static_cast<double>(measured.batch) * 1000 / median, 1),
                    FormatNumber(measured.load_ms, 1), FormatNumber(PeakMemoryMb(), 1)}})
          .c_str(),
      stdout);
  return 0;
}

constexpr const char* kFooter =
    "Loads and compiles MODEL, then runs it again and again on random input with fixed buffers, "
    "and\n"
    "takes the time of each run. Median, 90th percentile and minimum are per run, not per sample.\n"
    "load ms is from opening the file to being ready, or with free shapes to the first run.\n"
    "Compare models on an idle machine, with the same --threads, and more than once.\n"
    "\n"
    "Examples:\n"
    "  intmill bench model.im\n"
    "  intmill bench model.im --threads 1 --duration 10 --batch 8\n"
    "  intmill bench model.onnx --shape image=1x3x224x224 --json\n"
    "\n"
    "JSON: {\"model\",\"threads\",\"batch\",\"median_ms\",\"p90_ms\",\"min_ms\",\"load_ms\",\n"
    "\"peak_rss_mb\",\"runs\",\"isa\"}; megabytes of 10^6 bytes.";

}  // namespace

void AddBench(CommandLine& line) {
  auto options = std::make_shared<BenchOptions>();
  Command command = line.Add("bench", "Measure how fast a model runs here");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "An .onnx or .im file");
  command.Number("--duration", "S", options->duration, 0.01, 86400,
                 "Seconds to measure; default 3");
  command.Integer("--batch", "N", options->batch, 1, 65536,
                  "Size of a free first dimension; default 1");
  command.Texts("--shape", "NAME=AxBxC", options->shapes, Need::kOptional,
                "Shape of an input, where the model leaves it free; once for each input");
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Bench(*options); });
}

}  // namespace intmill::cli
