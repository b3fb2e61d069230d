// Our file for a compiled session, .ims: a whole .im file, and behind it what sessions of it keep.
#ifndef INTMILL_FORMAT_SESSION_FILE_H
#define INTMILL_FORMAT_SESSION_FILE_H

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/compiled.h"

namespace intmill {

bool LooksLikeSession(std::span<const std::byte> bytes);

struct SessionFile {
  Graph model;
  // Packed weights lie in the file, which they keep alive; their checksums were compared.
  std::shared_ptr<const CompiledSession> compiled;
  // Compares those of the constants in compiled->unread; once, on any thread.
  std::function<Status()> check_weights;
};

Result<SessionFile> ReadSession(BlobPtr file);

// The file is replaced atomically. Equal sessions of equal models give equal bytes.
Status WriteSession(const Graph& model, const CompiledSession& compiled, const std::string& path);

}  // namespace intmill

#endif  // INTMILL_FORMAT_SESSION_FILE_H
