// Where the reasons of layers that stayed in float are kept in a quantized graph.
#ifndef INTMILL_QUANT_SUMMARY_H
#define INTMILL_QUANT_SUMMARY_H

#include <string>
#include <string_view>

namespace intmill {

// Metadata key of the reason why a layer stayed in float.
std::string ReasonKey(std::string_view layer);

}  // namespace intmill

#endif  // INTMILL_QUANT_SUMMARY_H
