// Checked access to protobuf fields: wire types are compared before protozero, which asserts, sees
// them, and its exceptions end here.
#include "import/onnx/wire.h"

#include <utility>

#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

#include "import/onnx/limits.h"

namespace intmill::onnx {

using protozero::pbf_wire_type;

template <typename... Parts>
void Fields::FailWith(const Parts&... parts) {
  if (what_ == nullptr) {
    Fail(Error(Code::kBadFormat, parts...));
  } else {
    Fail(Error(Code::kBadFormat, what_, ": ", parts...));
  }
}

template <typename Body>
void Fields::Guard(Body&& body) {
  try {
    body();
  } catch (const protozero::end_of_buffer_exception&) {
    FailWith("field ", tag_, " goes past the end of the data");
  } catch (const protozero::varint_too_long_exception&) {
    FailWith("an integer after field ", tag_, " is too long");
  } catch (const protozero::unknown_pbf_wire_type_exception&) {
    FailWith("unknown wire type after field ", tag_);
  } catch (const protozero::invalid_tag_exception&) {
    FailWith("invalid field number after field ", tag_);
  } catch (const protozero::invalid_length_exception&) {
    FailWith("field ", tag_, " has a size that is no whole number of values");
  } catch (const protozero::exception& e) {
    FailWith("field ", tag_, ": ", e.what());
  }
}

void Fields::Fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

bool Fields::Next() {
  if (!status_.ok()) return false;
  bool more = false;
  Guard([&] {
    if (!consumed_) {
      CheckLength();
      if (status_.ok()) reader_.skip();
    }
    if (status_.ok()) more = reader_.next();
  });
  if (!status_.ok() || !more) return false;
  tag_ = reader_.tag();
  consumed_ = false;
  return true;
}

// protozero keeps 32 bits of a declared length, which would let 2^32 + 5 pass for 5.
void Fields::CheckLength() {
  if (reader_.wire_type() != pbf_wire_type::length_delimited) return;
  const protozero::data_view left = reader_.data();
  const char* at = left.data();
  const char* const end = at + left.size();
  const uint64_t length = protozero::decode_varint(&at, end);
  if (length <= static_cast<uint64_t>(end - at)) return;
  FailWith("field ", tag_, " of ", length, " bytes goes past the end, ", end - at, " are left");
}

bool Fields::Wants(pbf_wire_type type) {
  if (!status_.ok()) return false;
  if (reader_.wire_type() != type) {
    FailWith("field ", tag_, " has wire type ", static_cast<int>(reader_.wire_type()), ", wanted ",
             static_cast<int>(type));
    return false;
  }
  consumed_ = true;
  Guard([&] { CheckLength(); });
  return status_.ok();
}

int64_t Fields::Int() {
  int64_t value = 0;
  if (Wants(pbf_wire_type::varint)) Guard([&] { value = reader_.get_int64(); });
  return value;
}

float Fields::Float() {
  float value = 0;
  if (Wants(pbf_wire_type::fixed32)) Guard([&] { value = reader_.get_float(); });
  return value;
}

std::string_view Fields::Bytes() {
  std::string_view bytes;
  if (!Wants(pbf_wire_type::length_delimited)) return bytes;
  Guard([&] {
    const protozero::data_view view = reader_.get_view();
    bytes = {view.data(), view.size()};
  });
  return bytes;
}

std::string_view Fields::Name() {
  const std::string_view name = Bytes();
  if (static_cast<int64_t>(name.size()) <= kMaxNameBytes) return name;
  FailWith("field ", tag_, " is a name of ", name.size(), " bytes, at most ", kMaxNameBytes,
           " wanted");
  return {};
}

void Fields::AppendInts(std::vector<int64_t>& out) {
  if (status_.ok() && reader_.wire_type() == pbf_wire_type::varint) {
    out.push_back(Int());
  } else if (Wants(pbf_wire_type::length_delimited)) {
    Guard([&] {
      for (const int64_t value : reader_.get_packed_int64()) out.push_back(value);
    });
  }
}

void Fields::AppendFloats(std::vector<float>& out) {
  if (status_.ok() && reader_.wire_type() == pbf_wire_type::fixed32) {
    out.push_back(Float());
  } else if (Wants(pbf_wire_type::length_delimited)) {
    Guard([&] {
      for (const float value : reader_.get_packed_float()) out.push_back(value);
    });
  }
}

}  // namespace intmill::onnx
