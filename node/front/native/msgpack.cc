// SPDX-License-Identifier: MIT
#include "node/front/native/msgpack.h"

namespace aisfs::native {

void MsgpackWriter::big_endian(std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out_.push_back(static_cast<char>(value >> shift));
  }
}

void MsgpackWriter::head(std::uint32_t n,
                         std::uint8_t fix,
                         std::uint32_t fix_max,
                         std::uint8_t code16) {
  if (n <= fix_max) {
    out_.push_back(static_cast<char>(fix | n));
  } else if (n <= 0xffff) {
    out_.push_back(static_cast<char>(code16));
    big_endian(n, 2);
  } else {
    out_.push_back(static_cast<char>(code16 + 1));
    big_endian(n, 4);
  }
}

void MsgpackWriter::map(std::uint32_t members) { head(members, 0x80, 15, 0xde); }
void MsgpackWriter::array(std::uint32_t items) { head(items, 0x90, 15, 0xdc); }

void MsgpackWriter::text(std::string_view value) {
  const auto size = static_cast<std::uint32_t>(value.size());
  if (size > 31 && size <= 0xff) {
    out_.push_back(static_cast<char>(0xd9));
    big_endian(size, 1);
  } else {
    head(size, 0xa0, 31, 0xda);
  }
  out_.append(value);
}

void MsgpackWriter::number(std::uint64_t value) {
  if (value <= 0x7f) {
    big_endian(value, 1);
  } else if (value <= 0xffff) {
    out_.push_back(static_cast<char>(0xcd));
    big_endian(value, 2);
  } else if (value <= 0xffff'ffff) {
    out_.push_back(static_cast<char>(0xce));
    big_endian(value, 4);
  } else {
    out_.push_back(static_cast<char>(0xcf));
    big_endian(value, 8);
  }
}

void MsgpackWriter::nil() { out_.push_back(static_cast<char>(0xc0)); }

}  // namespace aisfs::native
