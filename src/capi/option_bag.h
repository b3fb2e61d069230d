// The bag of options behind intmill_options: what was set, in the order in which it was set.
#ifndef INTMILL_CAPI_OPTION_BAG_H
#define INTMILL_CAPI_OPTION_BAG_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "capi/option_table.h"
#include "intmill/intmill.h"

namespace intmill::capi {

class OptionBag {
 public:
  struct Entry {
    std::string layer;  // a name or a glob; "" for the whole model
    const OptionRow* row = nullptr;
    OptionValue value;
  };

  // `layer` may be null: the whole model.
  Status Set(const char* layer, const OptionRow& row, const OptionValue& value);
  Status Set(const char* layer, int32_t key, const OptionValue& value);

  // The whole model's value, or the default.
  int64_t Integer(int32_t key) const;
  // Nothing where it was not set.
  std::optional<double> Float(int32_t key) const;
  std::string Text(int32_t key) const;
  // In the order in which they count: a later one counts more, any layer more than the model.
  std::vector<Entry> InOrder() const;
  // Only what decides how layers are quantized, without hooks.
  OptionBag Quantizing() const;

  intmill_log_fn log = nullptr;
  void* log_user = nullptr;
  intmill_progress_fn progress = nullptr;
  void* progress_user = nullptr;

 private:
  const OptionValue* Find(int32_t key) const;
  std::vector<Entry> entries_;
};

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_OPTION_BAG_H
