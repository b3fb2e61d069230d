// Equalizing, smoothing, and learning to round: the order in which they make sense.
#include "cli/improve.h"

#include <charconv>

#include "cli/error.h"
#include "cli/scheme_options.h"

namespace intmill::cli {
namespace {

double ParseAlpha(const std::string& text) {
  double alpha = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, alpha);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(alpha > 0 && alpha <= 1))
    throw UsageError(
        Cat("--smooth: found '", text, "', wanted auto or a number above 0 and up to 1"));
  return alpha;
}

Model Equalized(const Model& model, const ImproveOptions& options, Work& work) {
  if (options.equalize == "unclipped") work.options().Set(INTMILL_OPT_EQUALIZE_CLIPS, int64_t{0});
  return Equalize(model, work.options());
}

Probe LearnRounding(const Model& model, const Probe& calibration, Feeder& feeder, Work& work) {
  feeder.Rewind();
  Probe rounding = Probe::Rounding(model, calibration, work.options());
  work.ForEachBatch(
      "learn rounding", feeder, [&](const auto& inputs) { rounding.Feed(inputs); }, work.Threads());
  return rounding;
}

}  // namespace

void AddImproveOptions(Command& command, ImproveOptions& options) {
  command.Choice("--equalize", "WHAT", options.equalize, {"all", "unclipped"},
                 "Level the weights of neighbouring layers, for --per-tensor; all: also around "
                 "ReLU6, which then has a bound for each channel and takes time");
  command.Text("--smooth", "ALPHA", options.smooth, Need::kOptional,
               "Move outlier channels of activations into weights (SmoothQuant): auto, or 0 to 1");
  command.Choice("--rounding", "HOW", options.rounding, {"nearest", "learned"},
                 "learned: round weights up or down by what that does to results on your data; "
                 "default nearest");
}

void CheckImprovements(const ImproveOptions& options, bool feeds) {
  if (!options.smooth.empty() && options.smooth != "auto") ParseAlpha(options.smooth);
  if (!options.Any() || feeds) return;
  throw UsageError(
      "--equalize, --smooth, --rounding: need --data to calibrate with, not --stats or --dynamic");
}

Prepared Prepare(const Model& model, Feeder& feeder, const ImproveOptions& options, Work& work) {
  Prepared prepared;
  if (!options.equalize.empty()) prepared.improved = Equalized(model, options, work);
  prepared.calibration = Calibrate(prepared.Latest(model), feeder, work);
  if (!options.smooth.empty()) {
    if (options.smooth != "auto")
      work.options().SetNumber(INTMILL_OPT_SMOOTH_ALPHA, ParseAlpha(options.smooth));
    prepared.improved = Smooth(prepared.Latest(model), prepared.calibration, work.options());
    feeder.Rewind();
    prepared.calibration = Calibrate(prepared.improved, feeder, work);
  }
  if (options.learns_rounding())
    prepared.calibration =
        LearnRounding(prepared.Latest(model), prepared.calibration, feeder, work);
  return prepared;
}

}  // namespace intmill::cli
