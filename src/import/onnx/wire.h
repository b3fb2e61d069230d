// Reads a protobuf message field by field; what protozero throws becomes a Status here.
#ifndef INTMILL_IMPORT_ONNX_WIRE_H
#define INTMILL_IMPORT_ONNX_WIRE_H

#include <cstdint>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>

#include "base/status.h"

namespace intmill::onnx {

// Walks the fields of one message, whose memory must outlive it. Errors stick: after the first one
// Next() is false, values are defaults, and status() says what was wrong. There is no recursion
// here: a nested message is a view that the caller reads with a Fields of its own.
class Fields {
 public:
  // `what` names the message in errors, such as "type"; null where the caller adds the place.
  Fields(std::string_view message, const char* what)
      : reader_(message.data(), message.size()), what_(what) {}

  bool Next();
  uint32_t tag() const { return tag_; }

  // The current field's value, for a field of that wire type; an error for any other.
  int64_t Int();
  float Float();
  std::string_view Bytes();
  // Bytes() of at most kMaxNameBytes.
  std::string_view Name();
  // A repeated field, packed or one element at a time; never reserves by a declared count.
  void AppendInts(std::vector<int64_t>& out);
  void AppendFloats(std::vector<float>& out);

  // Sticks an error of the caller's own.
  void Fail(Status status);
  const Status& status() const { return status_; }

 private:
  bool Wants(protozero::pbf_wire_type type);
  void CheckLength();
  template <typename Body>
  void Guard(Body&& body);
  template <typename... Parts>
  void FailWith(const Parts&... parts);

  protozero::pbf_reader reader_;
  const char* what_;
  uint32_t tag_ = 0;
  bool consumed_ = true;
  Status status_;
};

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_WIRE_H
