// The options that say how a model is quantized, and the calibration they need.
#include "cli/scheme_options.h"

#include "cli/error.h"

namespace intmill::cli {
namespace {

// * stands for any text, ? for one character, as in the library.
bool GlobMatches(std::string_view glob, std::string_view text) {
  if (glob.empty()) return text.empty();
  if (glob[0] == '*')
    return GlobMatches(glob.substr(1), text) ||
           (!text.empty() && GlobMatches(glob, text.substr(1)));
  return !text.empty() && (glob[0] == '?' || glob[0] == text[0]) &&
         GlobMatches(glob.substr(1), text.substr(1));
}

void CheckGlobs(const Model& model, const std::string& name, const char* option,
                const std::vector<std::string>& globs) {
  const Report layers = model.Report(INTMILL_REPORT_LAYERS);
  for (const std::string& glob : globs) {
    bool is_used = false;
    for (int64_t i = 0; i < layers.rows(); ++i)
      is_used = is_used || GlobMatches(glob, layers.Text(i, "name"));
    if (!is_used)
      throw UsageError(Cat(option, ": no layer of ", name, " matches '", glob,
                           "'; 'intmill inspect' lists them"));
  }
}

}  // namespace

void AddSchemeOptions(Command& command, SchemeOptions& options) {
  command.Flag("--dynamic", options.is_dynamic, "Measure activations while running");
  command.Choice("--weight-only", "TYPE", options.weight_only, {"int8", "int4"},
                 "Store weights of MatMul, Gemm and Gather in 8 or 4 bits and compute in floats; "
                 "needs no data");
  command.Choice("--precision", "TYPE", options.precision, {"fp16", "bf16", "bf16-compute"},
                 "Store weights in 16-bit floats and compute in f32; bf16-compute: multiply in "
                 "BF16, too, with sums in f32; needs no data");
  command.Integer("--group-size", "N", options.group_size, 0, 65536,
                  "For --weight-only: weights with one scale, a multiple of 8; 0: an output "
                  "channel; default 32");
  command.Flag("--zero-points", options.has_zero_points,
               "For --weight-only: groups that need not be symmetric around zero");
  command.Flag("--gptq", options.gptq,
               "For --weight-only: round so that the errors on your data cancel out; needs --data");
  command.Flag("--gptq-order", options.gptq_ordered,
               "For --gptq: weights of the largest inputs first");
  command.Choice("--method", "NAME", options.method,
                 {"minmax", "average", "percentile", "entropy", "mse"},
                 "How a range is chosen; 'intmill quantize --help' explains them");
  command.Number("--percentile", "P", options.percentile, 50, 100, "For --method percentile");
  command.Flag("--per-tensor", options.per_tensor,
               "One scale for a whole weight, not one for each output channel");
  command.Flag("--symmetric", options.symmetric, "Activations with zero point 0");
  command.Choice("--activations", "TYPE", options.activations, {"u8", "s8", "s16"},
                 "s16: 16-bit inputs of all products (Conv, Gemm, MatMul), which then take two to "
                 "three times as long as with 8; default u8");
  command.Texts("--int16", "GLOB", options.int16, Need::kOptional,
                "16-bit inputs of these layers; may be repeated");
  command.Choice("--target", "WHERE", options.target, {"vnni", "any"},
                 "any: 7-bit weights for just the output channels whose sums could saturate where "
                 "other runtimes lack VNNI; intmill itself is exact everywhere; default vnni");
  command.Choice("--weight-range", "HOW", options.weight_range, {"max", "mse"},
                 "mse: clip large weights where that lowers the squared error; default max");
  command.Choice(
      "--bias-correction", "FROM", options.bias_correction, {"none", "data", "batch-norm"},
      "By which means of its inputs a bias takes back what rounded weights shift: of the "
      "data, or of the batch normalizations in MODEL.onnx; default data");
  command.Texts("--skip", "GLOB", options.skip, Need::kOptional,
                "Leave these layers in float; may be repeated");
  command.Text("--recipe", "FILE", options.recipe, Need::kOptional,
               "Options from a JSON file; the command line counts more");
}

void ApplyFlags(const SchemeOptions& from, Options& to) {
  if ((!from.activations.empty() || !from.int16.empty()) &&
      (from.is_dynamic || !from.weight_only.empty() || !from.precision.empty()))
    throw UsageError(
        "--activations and --int16 are for static quantization: leave out --dynamic, --weight-only "
        "and --precision");
  if (from.is_dynamic) to.Set(INTMILL_OPT_SCHEME, int64_t{INTMILL_SCHEME_DYNAMIC});
  if (!from.precision.empty())
    to.Set(INTMILL_OPT_SCHEME, from.precision == "bf16-compute" ? "bf16_compute" : from.precision);
  if (!from.weight_only.empty()) {
    const bool is_4_bits = from.weight_only == "int4";
    to.Set(INTMILL_OPT_SCHEME, int64_t{INTMILL_SCHEME_WEIGHT_ONLY});
    const intmill_dtype dtype = from.has_zero_points ? (is_4_bits ? INTMILL_U4 : INTMILL_U8)
                                                     : (is_4_bits ? INTMILL_S4 : INTMILL_S8);
    to.Set(INTMILL_OPT_WEIGHT_DTYPE, int64_t{dtype});
    if (from.has_zero_points) to.Set(INTMILL_OPT_WEIGHT_SYMMETRIC, int64_t{0});
  }
  if (from.group_size >= 0) to.Set(INTMILL_OPT_GROUP_SIZE, from.group_size);
  if (from.gptq) to.Set(INTMILL_OPT_GPTQ, int64_t{1});
  if (from.gptq_ordered) to.Set(INTMILL_OPT_GPTQ_ORDER, int64_t{1});
  if (!from.target.empty()) to.Set(INTMILL_OPT_TARGET, from.target);
  if (!from.weight_range.empty()) to.Set(INTMILL_OPT_WEIGHT_RANGE, from.weight_range);
  if (!from.bias_correction.empty())
    to.Set(INTMILL_OPT_BIAS_CORRECTION,
           from.bias_correction == "batch-norm" ? "batch_norm" : from.bias_correction);
  if (!from.method.empty()) to.Set(INTMILL_OPT_CALIBRATION, from.method);
  if (from.percentile) to.SetNumber(INTMILL_OPT_PERCENTILE, *from.percentile);
  if (from.per_tensor) to.Set(INTMILL_OPT_PER_CHANNEL, int64_t{0});
  if (from.symmetric) to.Set(INTMILL_OPT_ACT_SYMMETRIC, int64_t{1});
  if (!from.activations.empty()) to.Set(INTMILL_OPT_ACTIVATION_DTYPE, from.activations);
  for (const std::string& glob : from.int16)
    to.Set(INTMILL_OPT_ACTIVATION_DTYPE, int64_t{INTMILL_S16}, glob.c_str());
  for (const std::string& glob : from.skip) to.Set(INTMILL_OPT_SKIP, int64_t{1}, glob.c_str());
}

void CheckSkips(const Model& model, const std::string& name, const SchemeOptions& options) {
  CheckGlobs(model, name, "--skip", options.skip);
  CheckGlobs(model, name, "--int16", options.int16);
}

Probe Calibrate(const Model& model, Feeder& feeder, Work& work) {
  Probe calibration = Probe::Calibrate(model, work.options());
  work.ForEachBatch(
      "calibrate", feeder, [&](const auto& inputs) { calibration.Feed(inputs); }, work.Threads());
  return calibration;
}

int64_t SamplesOf(const Probe& calibration) {
  Report ranges;
  const intmill_status status =
      intmill_probe_report(calibration.get(), INTMILL_REPORT_RANGES, ranges.Out());
  if (status == INTMILL_ERROR_STATE) return 0;  // it has seen nothing
  Check(status);
  return ranges.rows() == 0 ? 0 : static_cast<int64_t>(ranges.Number(0, "samples"));
}

Probe LoadCalibration(const Model& model, const std::string& name, const std::string& path,
                      Work& work) {
  Probe loaded = Probe::Load(path, &work.options());
  try {
    Probe own = Probe::Calibrate(model, work.options());
    own.Merge(loaded);
  } catch (const Error& error) {
    if (error.status() != INTMILL_ERROR_INVALID_ARGUMENT) throw;
    throw Failure(Cat(path, ": ", error.what(), "; it is not of ", name));
  }
  return loaded;
}

}  // namespace intmill::cli
