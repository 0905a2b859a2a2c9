// SPDX-License-Identifier: MIT
// Cereal archives over memory: little endian, no stream in between, and a length that is longer
// than what is left of the input is an error before anything is allocated for it.
#pragma once
#include <bit>
#include <cereal/cereal.hpp>
#include <cstring>
#include <string>

#include "common/base/bytes.h"

namespace aisfs::wire {

static_assert(std::endian::native == std::endian::little, "formats are little endian");

/// Appends to a string.
class Writer : public cereal::OutputArchive<Writer, cereal::AllowEmptyClassElision> {
 public:
  explicit Writer(std::string& out) : OutputArchive(this), out_(out) {}
  void raw(const void* data, std::size_t size) { out_.append(static_cast<const char*>(data), size); }

 private:
  std::string& out_;
};

/// Reads from a span, which outlives it. Throws cereal::Exception at the end of the input.
class Reader : public cereal::InputArchive<Reader, cereal::AllowEmptyClassElision> {
 public:
  explicit Reader(ConstBytes in) : InputArchive(this), in_(in) {}

  void raw(void* data, std::size_t size) {
    if (size > in_.size()) throw cereal::Exception("input ends early");
    if (size != 0) std::memcpy(data, in_.data(), size);
    in_ = in_.subspan(size);
  }
  std::size_t left() const { return in_.size(); }

 private:
  ConstBytes in_;
};

template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(Writer& ar, const T& value) {
  ar.raw(&value, sizeof value);
}
template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(Reader& ar, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    std::uint8_t byte = 0;  // any byte but 0 and 1 in a bool is undefined behaviour
    ar.raw(&byte, 1);
    value = byte != 0;
  } else {
    ar.raw(&value, sizeof value);
  }
}

template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(Writer& ar, cereal::NameValuePair<T>& t) {
  ar(t.value);
}
template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(Reader& ar, cereal::NameValuePair<T>& t) {
  ar(t.value);
}

/// Lengths travel as u32.
template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(Writer& ar, cereal::SizeTag<T>& t) {
  ar(static_cast<std::uint32_t>(t.size));
}
template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(Reader& ar, cereal::SizeTag<T>& t) {
  std::uint32_t size = 0;
  ar(size);
  if (size > ar.left()) throw cereal::Exception("length exceeds the input");
  t.size = size;
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(Writer& ar, const cereal::BinaryData<T>& b) {
  ar.raw(b.data, static_cast<std::size_t>(b.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(Reader& ar, cereal::BinaryData<T>& b) {
  ar.raw(b.data, static_cast<std::size_t>(b.size));
}

}  // namespace aisfs::wire

CEREAL_REGISTER_ARCHIVE(aisfs::wire::Writer)
CEREAL_REGISTER_ARCHIVE(aisfs::wire::Reader)
CEREAL_SETUP_ARCHIVE_TRAITS(aisfs::wire::Reader, aisfs::wire::Writer)
