// Options as JSON, in and out.
#ifndef INTMILL_CAPI_OPTION_JSON_H
#define INTMILL_CAPI_OPTION_JSON_H

#include <string>
#include <string_view>

#include "base/status.h"
#include "capi/option_bag.h"

namespace intmill::capi {

// {"calibration": "entropy", "layers": {"block3.*": {"skip": 1}}}
Result<OptionBag> OptionsFromJson(std::string_view text);
std::string OptionsToJson(const OptionBag& bag);

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_OPTION_JSON_H
