// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/model/range.h"

namespace aisfs::http {

/// What a Range header asks of a representation of `size` bytes.
struct RangeRequest {
  enum class Kind : unsigned char {
    kWhole,          // no header, or one that RFC 9110 says to ignore: answer 200
    kPart,           // answer 206 with `part`
    kUnsatisfiable,  // answer 416 with "Content-Range: bytes */size"
  };
  Kind kind = Kind::kWhole;
  ByteRange part;
};

/// One range only: a list of ranges is answered as the whole.
RangeRequest parse_range(std::string_view header, std::uint64_t size);

/// "bytes 0-99/200"
std::string content_range(ByteRange part, std::uint64_t size);

}  // namespace aisfs::http
