// NeverSlower: profiles suggest which layers to put back, whole runs decide. A profile cannot know
// what other layers will cost beside new neighbours, so nothing is believed until it ran.
#include "cli/never_slower.h"

#include <algorithm>

#include "cli/array.h"
#include "cli/bench_input.h"
#include "cli/error.h"
#include "cli/float_regions.h"
#include "cli/json.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

constexpr int kMostRounds = 4;
constexpr double kMargin = 0.05;      // of a region's time in floats: less may be chance
constexpr double kLeastGain = 0.005;  // of a whole run: less cannot be seen in whole runs
constexpr double kSeconds = 0.5;      // for each model, each time

bool HasIntegers(const Model& model) {
  const std::vector<LayerInfo> layers = ReadLayers(model);
  return std::any_of(layers.begin(), layers.end(), [](const LayerInfo& layer) {
    return layer.scheme == "static" || layer.scheme == "dynamic";
  });
}

class Search {
 public:
  Search(const Model& reference, const Requantize& requantize, const std::vector<Tensor>& inputs,
         int64_t threads, Work& work)
      : reference_(reference),
        requantize_(requantize),
        inputs_(inputs),
        work_(work),
        options_(Options::FromJson(work.options().Json())),
        layers_(ReadLayers(reference)) {
    options_.Set(INTMILL_OPT_THREADS, threads);
  }

  NeverSlower Run(Model quantized) {
    best_.model = std::move(quantized);
    for (int round = 0; round < kMostRounds && !best_.is_all_float && Improve(); ++round) {
    }
    if (!best_.is_all_float) Judge();
    return std::move(best_);
  }

 private:
  // Whole runs, in turn, without a clock inside: the median of each.
  std::vector<double> Race(const std::vector<const Model*>& models) {
    std::vector<TimedModel> timed;
    std::vector<TimedModel*> pointers;
    timed.reserve(models.size());
    for (const Model* model : models) {
      timed.emplace_back(*model, options_, inputs_, Detail::kWhole);
      pointers.push_back(&timed.back());
    }
    TakeTurns(pointers, kSeconds, "race", work_);
    std::vector<double> ms;
    for (const TimedModel& model : timed) ms.push_back(model.MedianMs());
    return ms;
  }

  // Times of all layers in both forms, by groups.
  void Profile() {
    TimedModel fp32(reference_, options_, inputs_, Detail::kSteps);
    TimedModel int8(best_.model, options_, inputs_, Detail::kSteps);
    TakeTurns({&fp32, &int8}, kSeconds, "profile", work_);
    const std::vector<StepTime> int8_steps = int8.Steps();
    float_times_ = SumByLayer(layers_, fp32.Steps());
    int8_times_ = SumByLayer(layers_, int8_steps);
    groups_ = GroupLayers(layers_, float_times_, int8_times_,
                          ConversionUsPerElement(layers_, int8_steps));
  }

  // One round; false when it changed nothing. All regions together first, then the one that
  // promises most.
  bool Improve() {
    Profile();
    std::vector<FloatRegion> regions =
        FindFloatRegions(groups_, kMargin, kLeastGain * int8_times_.total);
    if (regions.empty()) return false;
    if (Try(regions)) return true;
    if (regions.size() == 1) return false;
    regions.resize(1);
    return Try(regions);
  }

  // The last word: the fastest form with integers against the float model itself. Giving up all
  // integers takes two lost races, as one may be chance.
  void Judge() {
    for (int race = 0; race < 2; ++race) {
      const std::vector<double> ms = Race({&reference_, &best_.model});
      best_.float_ms = ms[0];
      best_.int8_ms = ms[1];
      if (best_.int8_ms <= best_.float_ms || !HasIntegers(best_.model)) return;
    }
    for (const LayerGroup& group : groups_)
      if (group.is_int8) Add(group, best_.kept_float, float_layers_);
    best_.model = requantize_({"*"});
    best_.is_all_float = true;
  }

  bool Try(const std::vector<FloatRegion>& regions) {
    std::vector<KeptLayer> kept = best_.kept_float;
    std::vector<std::string> names = float_layers_;
    for (const FloatRegion& region : regions)
      for (const size_t group : region.groups) Add(groups_[group], kept, names);
    Model candidate = requantize_(names);
    const std::vector<double> ms = Race({&best_.model, &candidate});
    if (ms[1] >= ms[0]) return false;
    best_.model = std::move(candidate);
    best_.kept_float = std::move(kept);
    best_.is_all_float = !HasIntegers(best_.model);
    if (best_.is_all_float) {  // then this was the race of both forms already
      best_.float_ms = ms[1];
      best_.int8_ms = ms[0];
    }
    float_layers_ = std::move(names);
    return true;
  }

  void Add(const LayerGroup& group, std::vector<KeptLayer>& kept,
           std::vector<std::string>& names) const {
    for (const size_t i : group.layers) {
      if (layers_[i].name.empty()) continue;  // an input
      names.push_back(layers_[i].name);
      if (float_times_.has_step[i] || int8_times_.has_step[i])
        kept.push_back(
            {layers_[i].name, float_times_.microseconds[i], int8_times_.microseconds[i]});
    }
  }

  const Model& reference_;
  const Requantize& requantize_;
  const std::vector<Tensor>& inputs_;
  Work& work_;
  Options options_;
  const std::vector<LayerInfo> layers_;
  LayerTimes float_times_;
  LayerTimes int8_times_;
  std::vector<LayerGroup> groups_;
  std::vector<std::string> float_layers_;
  NeverSlower best_;
};

}  // namespace

void CheckCanBeTimed(const Model& model, const DataOptions& data) {
  if (!data.data.empty()) return;
  for (const Port& port : model.Ports(INTMILL_INPUT)) {
    const auto first = port.dims.begin() + (port.dims.empty() ? 0 : 1);
    if (port.rank == -1 || std::count(first, port.dims.end(), -1) > 0)
      throw UsageError(Cat("--never-slower: input '", port.name, "' is ",
                           port.rank == -1 ? "of any rank" : ShapeText(port.dims),
                           ": give --data, so that it can be timed"));
  }
}

std::vector<Tensor> TimingInputs(const Model& model, const std::string& name, DataOptions data) {
  if (data.data.empty())
    return MakeInputs(model, {.model = name, .batch = std::max<int64_t>(data.batch, 1)});
  const std::vector<Port> ports = model.Ports(INTMILL_INPUT);
  const auto is_free = [](const Port& port) { return !port.dims.empty() && port.dims[0] == -1; };
  if (data.batch == 0 && std::all_of(ports.begin(), ports.end(), is_free)) data.batch = 1;
  std::vector<Tensor> inputs;
  Feeder(model, name, data).Next(inputs);
  return inputs;
}

NeverSlower MakeNeverSlower(const Model& reference, Model quantized, const Requantize& requantize,
                            const std::vector<Tensor>& inputs, int64_t threads, Work& work) {
  return Search(reference, requantize, inputs, threads, work).Run(std::move(quantized));
}

Model Annotated(const NeverSlower& result, int64_t threads) {
  Report doctor;
  Check(intmill_doctor(doctor.Out()));
  return result.model
      .Annotate("never_slower.isa", doctor.Text(doctor.Row("isa_effective"), "value"))
      .Annotate("never_slower.threads", Cat(threads))
      .Annotate("never_slower.kept_float", Cat(result.kept_float.size()));
}

std::string ToText(const NeverSlower& result) {
  std::vector<std::vector<std::string>> rows;
  for (const KeptLayer& kept : result.kept_float)
    rows.push_back(
        {Cat("  ", kept.layer), FormatNumber(kept.float_us, 2), FormatNumber(kept.int8_us, 2)});
  std::string text =
      Cat("on this machine: FP32 ", FormatNumber(result.float_ms, 3), " ms, INT8 ",
          FormatNumber(result.int8_ms, 3), " ms",
          result.is_all_float ? "; INT8 is slower, so the whole model stays in float" : "", "\n");
  if (rows.empty()) return text + "no layer is slower in INT8\n";
  return text + "kept in float because INT8 is slower, neighbours taken together:\n" +
         FormatTable({"  layer", "FP32 us", "INT8 us"}, rows);
}

std::string ToJson(const NeverSlower& result) {
  std::vector<std::string> kept;
  for (const KeptLayer& layer : result.kept_float)
    kept.push_back(JsonObject()
                       .Text("layer", layer.layer)
                       .Number("float_us", layer.float_us, 3)
                       .Number("int8_us", layer.int8_us, 3)
                       .text());
  return JsonObject()
      .Raw("kept_float", JsonArray(kept))
      .Number("float_ms", result.float_ms, 4)
      .Number("int8_ms", result.int8_ms, 4)
      .text();
}

}  // namespace intmill::cli
