// Setting and reading options.
#include "capi/option_bag.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace intmill::capi {
namespace {

Status CheckLayer(const OptionRow& row, std::string_view layer) {
  if (!row.per_layer)
    return Error(Code::kInvalidArgument, "option ", row.name, " cannot be set for layer '", layer,
                 "', only for the whole model");
  if (layer.empty()) return Error(Code::kInvalidArgument, "the layer's name is empty");
  if (!IsUtf8(layer)) return Error(Code::kInvalidArgument, "the layer's name is not UTF-8");
  return Ok();
}

}  // namespace

Status OptionBag::Set(const char* layer, const OptionRow& row, const OptionValue& value) {
  if (layer != nullptr) TRY(CheckLayer(row, layer));
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !IsUtf8(*text))
    return Error(Code::kInvalidArgument, "option ", row.name, ": the value is not UTF-8");
  ASSIGN_OR_RETURN(OptionValue checked, CheckOption(row, value));
  Entry entry{.layer = layer == nullptr ? "" : layer, .row = &row, .value = std::move(checked)};
  // Moved to the end when set again, because what was set last counts.
  std::erase_if(entries_,
                [&](const Entry& old) { return old.row == entry.row && old.layer == entry.layer; });
  entries_.push_back(std::move(entry));
  return Ok();
}

Status OptionBag::Set(const char* layer, int32_t key, const OptionValue& value) {
  const OptionRow* row = FindOption(key);
  if (row == nullptr) return Error(Code::kInvalidArgument, "option key ", key, " is not known");
  return Set(layer, *row, value);
}

const OptionValue* OptionBag::Find(int32_t key) const {
  for (const Entry& entry : entries_)
    if (entry.layer.empty() && entry.row->key == key) return &entry.value;
  return nullptr;
}

// Of keys whose values have no names; those are read entry by entry.
int64_t OptionBag::Integer(int32_t key) const {
  if (const OptionValue* value = Find(key)) return std::get<int64_t>(*value);
  const std::string_view text = FindOption(key)->fallback;
  int64_t fallback = 0;
  std::from_chars(text.data(), text.data() + text.size(), fallback);
  return fallback;
}

std::optional<double> OptionBag::Float(int32_t key) const {
  const OptionValue* value = Find(key);
  return value == nullptr ? std::nullopt : std::optional(std::get<double>(*value));
}

std::string OptionBag::Text(int32_t key) const {
  if (const OptionValue* value = Find(key)) return std::get<std::string>(*value);
  return FindOption(key)->fallback;
}

std::vector<OptionBag::Entry> OptionBag::InOrder() const {
  std::vector<Entry> ordered = entries_;
  // Not std::ranges: clang 14 cannot read gcc 12's subrange, which it returns.
  std::stable_partition(ordered.begin(), ordered.end(),
                        [](const Entry& entry) { return entry.layer.empty(); });
  return ordered;
}

OptionBag OptionBag::Quantizing() const {
  OptionBag bag;
  for (const Entry& entry : entries_)
    if (entry.row->key >= INTMILL_OPT_SCHEME && entry.row->key < INTMILL_OPT_THREADS)
      bag.entries_.push_back(entry);
  return bag;
}

}  // namespace intmill::capi
