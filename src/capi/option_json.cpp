// Options as JSON: values that have names are written by name.
#include "capi/option_json.h"

#include <algorithm>

#include "base/json.h"
#include "capi/json_reader.h"

namespace intmill::capi {
namespace {

Status ReadOption(JsonReader& reader, OptionBag& bag, const char* layer, const std::string& name) {
  const OptionRow* row = FindOption(std::string_view(name));
  if (row == nullptr) return Error(Code::kInvalidArgument, "option '", name, "' is not known");
  ASSIGN_OR_RETURN(const OptionValue value, reader.Scalar().At(Cat("option ", name)));
  return bag.Set(layer, *row, value);
}

Status ReadLayers(JsonReader& reader, OptionBag& bag) {
  return reader.Object([&](const std::string& layer) -> Status {
    return reader.Object([&](const std::string& name) -> Status {
      return ReadOption(reader, bag, layer.c_str(), name);
    });
  });
}

struct AppendValue {
  std::string& out;
  const OptionRow& row;
  void operator()(int64_t number) const {
    const auto named = std::ranges::find(row.names, number, &NamedValue::value);
    if (named == row.names.end())
      out += std::to_string(number);
    else
      AppendJsonString(out, named->name);
  }
  void operator()(double number) const { AppendJsonNumber(out, number); }
  void operator()(const std::string& text) const { AppendJsonString(out, text); }
};

void AppendOption(std::string& out, const OptionBag::Entry& entry) {
  if (out.back() != '{') out += ", ";
  AppendJsonString(out, entry.row->name);
  out += ": ";
  std::visit(AppendValue{out, *entry.row}, entry.value);
}

}  // namespace

Result<OptionBag> OptionsFromJson(std::string_view text) {
  JsonReader reader(text);
  OptionBag bag;
  TRY(reader.Object([&](const std::string& name) -> Status {
    if (name == "layers") return ReadLayers(reader, bag);
    return ReadOption(reader, bag, nullptr, name);
  }));
  TRY(reader.End());
  return bag;
}

// A layer that was set again after another has its name twice: the order is what counts.
std::string OptionsToJson(const OptionBag& bag) {
  std::string out = "{";
  std::string layer;
  for (const OptionBag::Entry& entry : bag.InOrder()) {
    if (entry.layer != layer) {
      if (layer.empty())
        out += out.back() == '{' ? "\"layers\": {" : ", \"layers\": {";
      else
        out += "}, ";
      AppendJsonString(out, entry.layer);
      out += ": {";
      layer = entry.layer;
    }
    AppendOption(out, entry);
  }
  return out + (layer.empty() ? "}" : "}}}");
}

}  // namespace intmill::capi
