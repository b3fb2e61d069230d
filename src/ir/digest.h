// What a model is, in one number: the same for the same layers, weights and names.
#ifndef INTMILL_IR_DIGEST_H
#define INTMILL_IR_DIGEST_H

#include <string>

#include "ir/graph.h"

namespace intmill {

// 32 hexadecimal digits over nodes, constants and ports. Metadata does not count, nor do the sizes
// of the inputs: a model is the same one with another batch.
std::string DigestOf(const Graph& graph);

}  // namespace intmill

#endif  // INTMILL_IR_DIGEST_H
