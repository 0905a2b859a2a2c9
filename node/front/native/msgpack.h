// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace aisfs::native {

/// Appends MessagePack to a text: the few types that a listing needs.
class MsgpackWriter {
 public:
  void map(std::uint32_t members);
  void array(std::uint32_t items);
  void text(std::string_view value);
  void number(std::uint64_t value);
  void nil();
  /// What another one has written.
  void append(MsgpackWriter other) { out_ += other.out_; }

  std::string take() && { return std::move(out_); }

 private:
  void big_endian(std::uint64_t value, int bytes);
  /// The shortest head of a type: `fix | n` below `fix_max`, else code16 or code32.
  void head(std::uint32_t n, std::uint8_t fix, std::uint32_t fix_max, std::uint8_t code16);

  std::string out_;
};

}  // namespace aisfs::native
