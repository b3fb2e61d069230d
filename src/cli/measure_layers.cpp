// MeasureLayers: calibrates or loads a calibration, and feeds a sensitivity probe.
#include "cli/measure_layers.h"

#include <chrono>

#include "cli/error.h"

namespace intmill::cli {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void AddLayerOptions(Command& command, LayerOptions& options, Need need_of_data) {
  command.Positional("MODEL", options.model, "The model: an .onnx or .im file");
  command.Text("--labels", "PATH", options.labels, Need::kOptional,
               "The right class of each sample: .npy or IDX, as many as there are samples in the "
               "data");
  command.Text("--stats", "FILE.imstat", options.statistics, Need::kOptional,
               "Take ranges from what 'intmill calibrate' saw");
  AddSchemeOptions(command, options.scheme);
  AddDataOptions(command, options.data, need_of_data);
}

MeasuredLayers MeasureLayers(const Model& model, const LayerOptions& options, Work& work) {
  if (options.scheme.is_dynamic && !options.statistics.empty())
    throw UsageError("--dynamic measures ranges while running: leave --stats out");
  CheckSkips(model, options.model, options.scheme);
  Feeder feeder(model, options.model, options.data);
  NoteRawBytes(work, feeder);
  std::vector<int64_t> labels;
  if (!options.labels.empty()) labels = ReadLabels(options.labels, feeder.available());

  MeasuredLayers measured;
  const auto start = std::chrono::steady_clock::now();
  if (!options.statistics.empty()) {
    measured.calibration = LoadCalibration(model, options.model, options.statistics, work);
  } else if (!options.scheme.is_dynamic) {
    measured.calibration = Calibrate(model, feeder, work);
    feeder.Rewind();
  }
  measured.calibrate_seconds = SecondsSince(start);

  const auto begin = std::chrono::steady_clock::now();
  Probe probe = Probe::Sensitivity(model, measured.calibration, work.options());
  work.ForEachBatch("sensitivity", feeder, [&](const std::vector<Tensor>& inputs) {
    std::vector<Tensor> targets;
    if (!labels.empty()) targets.push_back(LabelsOf(labels, feeder.batch()));
    probe.Feed(inputs, targets);
  });
  measured.seconds = SecondsSince(begin);
  measured.layers = probe.Report(INTMILL_REPORT_SENSITIVITY);
  measured.summary = probe.Report(INTMILL_REPORT_SUMMARY);
  return measured;
}

}  // namespace intmill::cli
