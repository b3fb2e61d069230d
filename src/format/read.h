// Reading the model in an .im or .ims file, without touching weights that nobody needs.
#ifndef INTMILL_FORMAT_READ_H
#define INTMILL_FORMAT_READ_H

#include <functional>
#include <span>

#include "base/file.h"
#include "base/memory.h"
#include "ir/graph.h"

namespace intmill::format {

// Weights are used where they lie, so memory lent by a caller must be aligned as files are: where
// it is not, a copy.
Result<BlobPtr> Aligned(BlobPtr file);

// A copy of a FlatBuffer, as mapped bytes can change after they were verified.
Result<AlignedBytes> CopyStructure(std::span<const std::byte> mapped, uint64_t hash);

struct PartlyRead {
  Graph graph;
  std::function<Status()> check_rest;  // the checksums that were left out; once, on any thread
};

// `unread`, ascending: values whose sections are not looked at, beyond their place.
Result<PartlyRead> ReadPartly(BlobPtr file, std::span<const ValueId> unread);

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_READ_H
