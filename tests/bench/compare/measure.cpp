// Measuring one model in every way there is to run it, each step in a process of its own: this one
// stays small and loads no engine, so that a child's memory is that of its engine.
#include "bench/compare/measure.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "bench/compare/child.h"
#include "bench/compare/intmill_runner.h"
#include "bench/compare/macs.h"
#include "bench/compare/ort_runner.h"
#include "bench/compare/peak.h"

namespace intmill::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRunsForMemory = 3;
constexpr int kWarmUpRuns = 3;
constexpr size_t kLeastRuns = 5;
// Engines take turns of this length: shorter, and each would find the other's data in the caches;
// longer, and they would not see the same weather.
constexpr double kTurnMs = 100;
constexpr const char* kMin = ".min";
constexpr const char* kNoInt8 = "no_int8";
constexpr const char* kNoOnnx = "no_onnx";

double MsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double NowMs(bool cpu_time) {
  timespec now{};
  clock_gettime(cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Job {
  const Arguments& arguments;
  std::string model;
  std::array<std::string, kVariants> files;
};

std::unique_ptr<Runner> Load(const Job& job, Variant variant) {
  const std::string& file = job.files[variant];
  const int threads = job.arguments.threads;
  return variant == kIntmillF32 || variant == kIntmillInt8
             ? LoadIntmill(file, threads)
             : LoadOrt(job.arguments.onnxruntime, file, threads);
}

void Pin(const Job& job) { PinTo(job.arguments.cpu, job.arguments.threads); }

// Counts the work and writes the 8-bit files that were not given.
void Prepare(const Job& job, Findings& findings) {
  const Model model = Model::Load(job.model);
  findings.SetNumber("macs", CountMacs(model));
  const std::string name = NameOf(job.model);
  const bool is_given = job.arguments.intmill_int8.contains(name);
  Model quantized;
  try {
    quantized = is_given ? Model::Load(job.files[kIntmillInt8])
                         : QuantizeOnRandomInputs(model, job.arguments.samples);
    if (!is_given) quantized.Save(job.files[kIntmillInt8]);
  } catch (const std::exception& error) {
    findings.Set(kNoInt8, error.what());
    findings.Set(kNoOnnx, "there is no 8-bit model to write as ONNX");
    return;
  }
  if (job.arguments.ort_int8.contains(name)) return;
  try {
    Options as_onnx;
    as_onnx.Set(INTMILL_OPT_FORMAT, std::string("onnx"));
    quantized.Save(job.files[kOrtInt8], &as_onnx);
  } catch (const std::exception& error) {
    findings.Set(kNoOnnx, error.what());
  }
}

void MeasureLoading(const Job& job, Variant variant, Findings& findings) {
  Pin(job);
  const auto begin = Clock::now();
  const auto runner = Load(job, variant);
  runner->Run();
  findings.SetNumber("load_ms", MsSince(begin));
  for (int i = 1; i < kRunsForMemory; ++i) runner->Run();
  findings.SetNumber("peak_mb", PeakMemoryMb());
  if (!runner->OutputsAreFinite()) throw std::runtime_error("its outputs are not finite");
}

struct Contender {
  Variant variant;
  std::unique_ptr<Runner> runner;
  std::vector<double> times;
  double total_ms = 0;
};

// The first run of a turn finds the caches full of the others' data, and does not count.
void TakeTurn(Contender& contender, bool cpu_time) {
  contender.runner->Run();
  const auto turn = Clock::now();
  do {
    const double begin = NowMs(cpu_time);
    contender.runner->Run();
    contender.times.push_back(NowMs(cpu_time) - begin);
  } while (MsSince(turn) < kTurnMs);
  contender.total_ms += MsSince(turn);
}

void MeasureSpeed(const Job& job, const std::vector<Variant>& variants, Findings& findings) {
  Pin(job);
  std::vector<Contender> contenders;
  for (const Variant variant : variants) contenders.push_back({variant, Load(job, variant), {}});
  for (Contender& contender : contenders) {
    for (int i = 0; i < kWarmUpRuns; ++i) contender.runner->Run();
  }
  bool is_done = false;
  while (!is_done) {
    is_done = true;
    for (Contender& contender : contenders) {
      TakeTurn(contender, job.arguments.cpu_time);
      is_done = is_done && contender.times.size() >= kLeastRuns &&
                contender.total_ms >= job.arguments.seconds * 1000;
    }
  }
  for (const Contender& contender : contenders) {
    const std::string name = kVariantNames[contender.variant];
    findings.SetNumber(name, Median(contender.times));
    findings.SetNumber(name + kMin, *std::ranges::min_element(contender.times));
  }
}

Job MakeJob(const Arguments& arguments, const std::string& path,
            const std::filesystem::path& scratch) {
  const std::string name = NameOf(path);
  Job job = {arguments, path, {path, scratch / (name + ".im"), path, scratch / (name + ".onnx")}};
  const auto own = arguments.intmill_int8.find(name);
  if (own != arguments.intmill_int8.end()) job.files[kIntmillInt8] = own->second;
  const auto other = arguments.ort_int8.find(name);
  if (other != arguments.ort_int8.end()) job.files[kOrtInt8] = other->second;
  return job;
}

void FillReasons(ModelResult& result, const Findings& prepared, const std::string& no_ort) {
  const std::string& error = prepared.Text(kError);
  result.figures[kIntmillInt8].reason = error.empty() ? prepared.Text(kNoInt8) : error;
  result.figures[kOrtF32].reason = no_ort;
  result.figures[kOrtInt8].reason = !no_ort.empty() ? no_ort
                                    : error.empty() ? prepared.Text(kNoOnnx)
                                                    : "quantizing: " + error;
}

}  // namespace

Comparison DescribeMachine(const Arguments& arguments, std::string& no_ort) {
  const Findings own = RunInChild([&](Findings& findings) {
    PinTo(arguments.cpu, arguments.threads);
    Report doctor;
    Check(intmill_doctor(doctor.Out()));
    for (const char* key : {"cpu", "isa_effective", "version", "onednn_version"})
      findings.Set(key, doctor.Text(doctor.Row(key), "value"));
    findings.SetNumber("peak_gops", MeasurePeakGops(findings.Text("isa_effective") == "amx"));
  });
  if (!own.Text(kError).empty()) throw std::runtime_error(own.Text(kError));
  const Findings ort = RunInChild(
      [&](Findings& findings) { findings.Set("version", OrtVersion(arguments.onnxruntime)); });
  no_ort = ort.Text(kError);
  Comparison comparison;
  comparison.cpu = own.Text("cpu");
  comparison.isa = own.Text("isa_effective");
  comparison.intmill = own.Text("version") + " (oneDNN " + own.Text("onednn_version") + ")";
  comparison.ort = ort.Text("version");
  comparison.threads = arguments.threads;
  comparison.peak_gops = own.Number("peak_gops");
  return comparison;
}

ModelResult MeasureModel(const Arguments& arguments, const std::string& path,
                         const std::filesystem::path& scratch, const std::string& no_ort) {
  const Job job = MakeJob(arguments, path, scratch);
  ModelResult result;
  result.name = NameOf(path);
  const Findings prepared = RunInChild([&](Findings& findings) { Prepare(job, findings); });
  result.macs = prepared.Number("macs");
  FillReasons(result, prepared, no_ort);

  std::vector<Variant> variants;
  for (size_t i = 0; i < kVariants; ++i) {
    Figures& figures = result.figures[i];
    if (!figures.reason.empty()) continue;
    const auto variant = static_cast<Variant>(i);
    const Findings loaded =
        RunInChild([&](Findings& findings) { MeasureLoading(job, variant, findings); });
    figures.load_ms = loaded.Number("load_ms");
    figures.peak_mb = loaded.Number("peak_mb");
    figures.reason = loaded.Text(kError);
    if (figures.reason.empty()) variants.push_back(variant);
  }
  const Findings timed =
      RunInChild([&](Findings& findings) { MeasureSpeed(job, variants, findings); });
  for (const Variant variant : variants) {
    Figures& figures = result.figures[variant];
    figures.median_ms = timed.Number(kVariantNames[variant]);
    figures.min_ms = timed.Number(std::string(kVariantNames[variant]) + kMin);
    figures.reason = timed.Text(kError);
  }
  return result;
}

}  // namespace intmill::bench
