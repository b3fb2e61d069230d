// Carries out a scenario through intmill.hpp; tests/bindings/README.md has the verbs.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <variant>

#include <nlohmann/json.hpp>

#include "intmill/intmill.hpp"

using intmill::Binding;
using intmill::Check;
using intmill::Model;
using intmill::Options;
using intmill::Probe;
using intmill::Report;
using intmill::Session;
using intmill::Tensor;
using Step = nlohmann::json;
using std::string;

namespace {

using QParams = intmill::Handle<intmill_qparams, intmill_qparams_release>;

const std::map<string, intmill_dtype> kDtypes = {
    {"f32", INTMILL_F32}, {"f16", INTMILL_F16}, {"bf16", INTMILL_BF16}, {"s8", INTMILL_S8},
    {"u8", INTMILL_U8},   {"s32", INTMILL_S32}, {"s64", INTMILL_S64},   {"bool", INTMILL_BOOL}};
const std::map<string, intmill_side> kSides = {{"input", INTMILL_INPUT},
                                               {"output", INTMILL_OUTPUT}};
const std::map<string, intmill_report_kind> kReports = {{"LAYERS", INTMILL_REPORT_LAYERS},
                                                        {"METADATA", INTMILL_REPORT_METADATA},
                                                        {"PROFILE", INTMILL_REPORT_PROFILE},
                                                        {"MEMORY", INTMILL_REPORT_MEMORY},
                                                        {"SUMMARY", INTMILL_REPORT_SUMMARY},
                                                        {"OUTPUTS", INTMILL_REPORT_OUTPUTS},
                                                        {"RANGES", INTMILL_REPORT_RANGES},
                                                        {"HISTOGRAMS", INTMILL_REPORT_HISTOGRAMS},
                                                        {"SENSITIVITY", INTMILL_REPORT_SENSITIVITY},
                                                        {"CERTIFICATE", INTMILL_REPORT_CERTIFICATE},
                                                        {"REPLAY", INTMILL_REPORT_REPLAY}};

// ---- Pieces of results

string Hex(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

string Hash(const void* data, int64_t bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto* at = static_cast<const unsigned char*>(data);
  for (int64_t i = 0; i < bytes; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
  return Hex(hash);
}

string Hash(const string& text) { return Hash(text.data(), static_cast<int64_t>(text.size())); }

string Bits(double number) {
  uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return number != number ? "nan" : Hex(bits);
}

string Join(const std::vector<string>& parts, const char* separator) {
  string all;
  for (const string& part : parts) all += (all.empty() ? "" : separator) + part;
  return all;
}

string Dims(const std::vector<int64_t>& sizes) {
  std::vector<string> parts;
  for (const int64_t size : sizes) parts.push_back(size < 0 ? "?" : std::to_string(size));
  return parts.empty() ? "-" : Join(parts, "x");
}

string Name(intmill_dtype dtype) {
  for (const auto& [name, value] : kDtypes)
    if (value == dtype) return name;
  return "?";
}

string Show(const Tensor& t) {
  return Name(t.dtype()) + " " + Dims(t.dims()) + " " + Hash(t.data<void>(), t.bytes());
}

string Show(const Model& m) {
  std::vector<string> sides;
  for (const intmill_side side : {INTMILL_INPUT, INTMILL_OUTPUT}) {
    std::vector<string> ports;
    for (const intmill::Port& port : m.Ports(side))
      ports.push_back(port.name + " " + Name(port.dtype) + " " +
                      (port.rank < 0 ? "*" : Dims(port.dims)));
    sides.push_back(Join(ports, ", "));
  }
  return Join(sides, " -> ");
}

string Show(const QParams& q) {
  const int64_t n = intmill_qparams_count(q.get());
  return Name(intmill_qparams_dtype(q.get())) + " " +
         std::to_string(intmill_qparams_axis(q.get())) + " " + std::to_string(n) + " " +
         Hash(intmill_qparams_scales(q.get()), n * 4) + " " +
         Hash(intmill_qparams_zero_points(q.get()), n * 4);
}

string ReadFile(const string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

string Quoted(const string& text) {
  string out = "\"";
  for (const char c : text) {
    char escaped[8] = {c, 0};
    if (c == '"' || c == '\\') std::snprintf(escaped, sizeof escaped, "\\%c", c);
    if (static_cast<unsigned char>(c) < 0x20) std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
    out += escaped;
  }
  return out + '"';
}

// ---- Filling

template <typename T>
void Fill(const Tensor& t, const Step& step) {
  T* data = t.data<T>();
  const auto n = t.bytes() / static_cast<int64_t>(sizeof(T));
  int64_t at = 0;
  for (const Step& value : step.value("values", Step::array())) data[at++] = value.get<T>();
  if (!step.contains("seed")) return;
  auto state = step["seed"].get<uint64_t>();
  for (int64_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    data[i] = std::is_same_v<T, float>
                  ? static_cast<T>(static_cast<double>(state >> 40) / 16777216.0)
                  : static_cast<T>(state >> 57);
  }
}

Tensor Filled(const Step& step) {
  Tensor t(kDtypes.at(step["dtype"]), step["dims"].get<std::vector<int64_t>>());
  switch (t.dtype()) {
    case INTMILL_F32:
      Fill<float>(t, step);
      break;
    case INTMILL_S8:
      Fill<int8_t>(t, step);
      break;
    case INTMILL_U8:
      Fill<uint8_t>(t, step);
      break;
    case INTMILL_S32:
      Fill<int32_t>(t, step);
      break;
    case INTMILL_S64:
      Fill<int64_t>(t, step);
      break;
    default:
      throw std::runtime_error("cannot fill " + Name(t.dtype()));
  }
  return t;
}

// ---- Verbs

class Executor {
 public:
  string CarryOut(const Step& step) {
    step_ = &step;
    const string verb = step["do"];
    if (verb == "version") return std::to_string(intmill_version());
    if (verb == "known") return Known();
    if (verb == "doctor") return Doctor();
    if (verb == "isa_limit") return Done(intmill_isa_limit(step["isa"]));
    if (verb == "options") return MakeOptions();
    if (verb == "set") return Set();
    if (verb == "heard") return Join(stages_.at(step["object"]), ", ");
    if (verb == "release") return objects_.erase(step["object"]) ? "" : throw Missing("object");
    if (verb == "report") return GetReport().Json();
    if (verb == "columns") return Columns();
    if (verb == "cell") return Cell();
    if (const auto made = OnTensors(verb)) return *made;
    if (const auto made = OnModels(verb)) return *made;
    throw std::runtime_error("no verb " + verb);
  }

 private:
  using Object = std::variant<Tensor, Options, QParams, Model, Probe, Session, Binding>;
  using Result = std::optional<string>;

  static string Done(intmill_status status) {
    Check(status);
    return "";
  }
  std::runtime_error Missing(const string& key) const {
    return std::runtime_error("no object in field " + key + " of " + step_->dump());
  }
  string Field(const char* key) const { return step_->at(key); }

  template <typename T>
  T& Of(const char* key) {
    const auto found = objects_.find(Field(key));
    if (found == objects_.end()) throw Missing(key);
    return std::get<T>(found->second);
  }
  // The C handle, NULL where the field is not there.
  template <typename T>
  auto* HandleOf(const char* key) {
    return step_->contains(key) ? Of<T>(key).get() : nullptr;
  }
  intmill_options* TheOptions() { return HandleOf<Options>("options"); }
  // An empty bag where the step has none.
  const Options& OptionsOrNone() {
    return step_->contains("options") ? Of<Options>("options") : none_;
  }
  std::vector<intmill_tensor*> Tensors(const char* key) {
    std::vector<intmill_tensor*> tensors;
    for (const Step& name : step_->value(key, Step::array()))
      tensors.push_back(std::get<Tensor>(objects_.at(name)).get());
    return tensors;
  }

  template <typename T>
  T& Keep(T made, const string& name) {
    return std::get<T>(objects_.insert_or_assign(name, std::move(made)).first->second);
  }
  template <typename T>
  string Kept(T made) {
    Keep(std::move(made), Field("as"));
    return "";
  }
  template <typename T>
  string KeptAndShown(T made) {
    return Show(Keep(std::move(made), Field("as")));
  }
  // For functions whose last parameter is `out`.
  template <typename T, typename... Parameters, typename... Arguments>
  static T Make(intmill_status (*function)(Parameters...), Arguments... arguments) {
    T made;
    Check(function(arguments..., made.Out()));
    return made;
  }

  string Known() { return Hash(Make<Report>(intmill_options_known).Json()); }
  string Doctor() {
    const auto facts = Make<Report>(intmill_doctor);
    std::vector<string> keys;
    for (int64_t i = 0; i < facts.rows(); ++i) keys.push_back(facts.Text(i, "key"));
    return Join(keys, " ");
  }

  string MakeOptions() {
    Options made = Options::FromJson(Field("json"));
    const string name = Field("as");
    if (step_->contains("listen") || step_->contains("stop_at")) {
      stages_[name].clear();
      made.OnProgress([this, name, calls = int64_t{0},
                       stop_at = step_->value("stop_at", -1)](const intmill_progress& now) mutable {
        auto& stages = stages_[name];
        if (std::find(stages.begin(), stages.end(), now.stage) == stages.end())
          stages.emplace_back(now.stage);
        return ++calls != stop_at;
      });
    }
    return Keep(std::move(made), name).Json();
  }

  string Set() {
    auto& options = Of<Options>("object");
    const string layer = step_->value("layer", "");
    const char* where = step_->contains("layer") ? layer.c_str() : nullptr;
    const auto key = KeyNamed(Field("key"));
    if (step_->contains("number"))
      options.SetNumber(key, step_->at("number"), where);
    else if (step_->at("value").is_string())
      options.Set(key, Field("value"), where);
    else
      options.Set(key, step_->at("value").get<int64_t>(), where);
    return options.Json();
  }
  // The key that the library knows by this name in lower case.
  static intmill_opt KeyNamed(string name) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto known = Make<Report>(intmill_options_known);
    for (int64_t i = 0; i < known.rows(); ++i)
      if (known.Text(i, "name") == name)
        return static_cast<intmill_opt>(static_cast<int>(known.Number(i, "key")));
    throw std::runtime_error("no option " + name);
  }

  Report GetReport() {
    const auto kind = kReports.at(Field("kind"));
    const Object& object = objects_.at(Field("object"));
    if (const auto* model = std::get_if<Model>(&object)) return model->Report(kind);
    if (const auto* probe = std::get_if<Probe>(&object)) return probe->Report(kind);
    return std::get<Session>(object).Report(kind);
  }
  string Columns() {
    const Report report = GetReport();
    string all = std::to_string(report.rows());
    for (int64_t i = 0; i < intmill_report_columns(report.get()); ++i)
      all += string(" ") + intmill_report_column(report.get(), i);
    return all;
  }
  string Cell() {
    const Report report = GetReport();
    const int64_t row = step_->at("row");
    return report.Text(row, Field("column")) + " " + Bits(report.Number(row, Field("column")));
  }

  Result OnTensors(const string& verb) {
    if (verb == "tensor") return KeptAndShown(Filled(*step_));
    if (verb == "show") return Show(Of<Tensor>("object"));
    if (verb == "qparams") return MakeQParams();
    if (verb == "choose")
      return KeptAndShown(Make<QParams>(intmill_qparams_choose, HandleOf<Tensor>("tensor"),
                                        step_->at("axis").get<int32_t>(), TheOptions()));
    if (verb == "quantize_tensor")
      return KeptAndShown(Make<Tensor>(intmill_tensor_quantize, HandleOf<Tensor>("tensor"),
                                       HandleOf<QParams>("qparams")));
    if (verb == "dequantize")
      return KeptAndShown(Make<Tensor>(intmill_tensor_dequantize, HandleOf<Tensor>("tensor")));
    if (verb == "fake_quantize")
      return KeptAndShown(Make<Tensor>(intmill_tensor_fake_quantize, HandleOf<Tensor>("tensor"),
                                       HandleOf<QParams>("qparams")));
    return verb == "compare" ? Result(Compare()) : std::nullopt;
  }
  string MakeQParams() {
    const auto scales = step_->at("scales").get<std::vector<float>>();
    const auto zero = step_->value("zero_points", std::vector<int32_t>());
    return KeptAndShown(Make<QParams>(
        intmill_qparams_create, kDtypes.at(Field("dtype")), step_->at("axis").get<int32_t>(),
        static_cast<int64_t>(scales.size()), scales.data(), zero.empty() ? nullptr : zero.data()));
  }
  string Compare() {
    intmill_difference d = INTMILL_DIFFERENCE_INIT;
    Check(intmill_tensor_compare(HandleOf<Tensor>("a"), HandleOf<Tensor>("b"), &d));
    return Join({Bits(d.max_abs), Bits(d.mean_abs), Bits(d.mse), Bits(d.sqnr_db), Bits(d.cosine),
                 std::to_string(d.bytes_a), std::to_string(d.bytes_b)},
                " ");
  }

  Result OnModels(const string& verb) {
    if (verb == "load") return KeptAndShown(Model::Load(Field("path"), &OptionsOrNone()));
    if (verb == "load_memory") return LoadMemory();
    if (verb == "save") {
      Of<Model>("model").Save(Field("path"), &OptionsOrNone());
      return Hash(ReadFile(Field("path")));
    }
    if (verb == "save_memory")
      return KeptAndShown(
          Make<Tensor>(intmill_model_save_memory, HandleOf<Model>("model"), TheOptions()));
    if (verb == "annotate") return Kept(Of<Model>("model").Annotate(Field("key"), Field("value")));
    if (verb == "quantize") return Kept(Quantized());
    if (verb == "equalize") return Kept(intmill::Equalize(Of<Model>("model"), OptionsOrNone()));
    if (verb == "smooth")
      return Kept(intmill::Smooth(Of<Model>("model"), Of<Probe>("calibration"), OptionsOrNone()));
    if (verb == "sign") return Kept(intmill::Certify(Of<Model>("model"), Of<Probe>("probe")));
    if (const auto made = OnProbes(verb)) return *made;
    if (verb == "session") return Kept(Session(Of<Model>("model"), OptionsOrNone()));
    if (verb == "run") return Run();
    return OnBindings(verb);
  }
  Result OnProbes(const string& verb) {
    if (verb == "calibrate") return Kept(Probe::Calibrate(Of<Model>("model"), OptionsOrNone()));
    if (verb == "sensitivity")
      return Kept(Probe::Sensitivity(Of<Model>("model"), CalibrationOrNone(), OptionsOrNone()));
    if (verb == "rounding")
      return Kept(Probe::Rounding(Of<Model>("model"), CalibrationOrNone(), OptionsOrNone()));
    if (verb == "verify")
      return Kept(Probe::Verify(Of<Model>("reference"), Of<Model>("candidate"), OptionsOrNone()));
    if (verb == "certify")
      return Kept(Probe::Certify(Of<Model>("reference"), Of<Model>("candidate"), OptionsOrNone()));
    if (verb == "replay") return Kept(Probe::Replay(Of<Model>("model"), OptionsOrNone()));
    if (verb == "save_probe") {
      Of<Probe>("probe").Save(Field("path"), &OptionsOrNone());
      return Hash(ReadFile(Field("path")));
    }
    if (verb == "load_probe") return Kept(Probe::Load(Field("path"), &OptionsOrNone()));
    if (verb == "merge") return Of<Probe>("probe").Merge(Of<Probe>("other")), "";
    return verb == "feed" ? Result(Feed()) : std::nullopt;
  }
  const Probe& CalibrationOrNone() {
    static const Probe kNone;
    return step_->contains("calibration") ? Of<Probe>("calibration") : kNone;
  }
  string LoadMemory() {
    const auto& t = Of<Tensor>("tensor");
    auto* copy = new string(t.data<char>(), static_cast<size_t>(t.bytes()));
    Model made;
    const intmill_status status = intmill_model_load_memory(
        copy->data(), t.bytes(), [](void* user, void*) { delete static_cast<string*>(user); }, copy,
        TheOptions(), made.Out());
    if (status != INTMILL_OK) delete copy;
    Check(status);
    return KeptAndShown(std::move(made));
  }
  Model Quantized() {
    return intmill::Quantize(Of<Model>("model"), CalibrationOrNone(), OptionsOrNone());
  }
  string Feed() {
    const auto inputs = Tensors("inputs");
    const auto targets = Tensors("targets");
    return Done(intmill_probe_feed(HandleOf<Probe>("probe"), inputs.data(),
                                   static_cast<int64_t>(inputs.size()), targets.data(),
                                   static_cast<int64_t>(targets.size())));
  }
  string Run() {
    const auto names = step_->at("as").get<std::vector<string>>();
    const auto inputs = Tensors("inputs");
    std::vector<intmill_tensor*> made(names.size());
    Check(intmill_session_run(HandleOf<Session>("session"), inputs.data(),
                              static_cast<int64_t>(inputs.size()), made.data(),
                              static_cast<int64_t>(made.size())));
    std::vector<string> shown;
    for (size_t i = 0; i < made.size(); ++i) shown.push_back(Show(Keep(Tensor(made[i]), names[i])));
    return Join(shown, ", ");
  }

  Result OnBindings(const string& verb) {
    if (verb == "save_session") return Of<Session>("session").Save(Field("path")), "";
    if (verb == "binding") return Kept(Binding(Of<Session>("session")));
    if (verb == "run_binding") return Of<Binding>("binding").Run(), "";
    if (verb == "bind")
      return Done(intmill_binding_set(HandleOf<Binding>("binding"), kSides.at(Field("side")),
                                      step_->at("index"), HandleOf<Tensor>("tensor")));
    if (verb == "bound")
      return KeptAndShown(Of<Binding>("binding").Get(kSides.at(Field("side")), step_->at("index")));
    return std::nullopt;
  }

  const Step* step_ = nullptr;
  Options none_;
  std::map<string, std::vector<string>> stages_;  // what options that listen have heard
  std::map<string, Object> objects_;
};

void Print(int number, const string& verb, intmill_status status, const string& result,
           const string& message) {
  std::cout << "{\"step\": " << number << ", \"do\": " << Quoted(verb)
            << ", \"status\": " << Quoted(intmill_status_name(status))
            << ", \"result\": " << Quoted(result) << ", \"message\": " << Quoted(message) << "}\n";
}

void CarryOut(const string& path) {
  Executor executor;
  int number = 0;
  for (const Step& step : Step::parse(ReadFile(path))) {
    if (!step.contains("do")) continue;
    ++number;
    try {
      Print(number, step["do"], INTMILL_OK, executor.CarryOut(step), "");
    } catch (const intmill::Error& error) {
      Print(number, step["do"], error.status(), "", error.what());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    CarryOut(argc == 2 ? argv[1] : "");
  } catch (const std::exception& error) {
    std::cerr << "scenario: " << error.what() << '\n';
    return 2;
  }
  return 0;
}
