// SPDX-License-Identifier: MIT
// Small pure functions on text: encodings, numbers, splitting.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace aisfs {

/// Lower-case hexadecimal.
std::string to_hex(ConstBytes bytes);
std::string to_hex(std::uint64_t value);  // 16 digits
/// invalid_argument for an odd length or a digit that is none.
Result<std::string> from_hex(std::string_view hex);

/// RFC 4648 with padding; `from_base64` refuses anything else.
std::string to_base64(ConstBytes bytes);
std::string to_base64url(ConstBytes bytes);  // no padding, '-' and '_'
Result<std::string> from_base64(std::string_view text);
Result<std::string> from_base64url(std::string_view text);

/// Percent-encodes everything but A-Z a-z 0-9 - . _ ~ and, if kept, '/'.
enum class Slash : std::uint8_t { kKeep, kEncode };
std::string percent_encode(std::string_view text, Slash slash);
/// invalid_argument for a '%' without two hex digits. '+' stays '+'.
Result<std::string> percent_decode(std::string_view text);

/// The whole text as a decimal number; nullopt for anything else, overflow included.
std::optional<std::uint64_t> parse_u64(std::string_view text);
std::optional<std::int64_t> parse_i64(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);  // spaces and tabs
std::string to_lower(std::string_view text);   // ASCII only
bool iequals(std::string_view a, std::string_view b);

/// "1.5 KiB", "12.0 GiB": three significant digits for people.
std::string human_size(std::uint64_t bytes);

/// Valid UTF-8 without overlong forms and surrogates.
bool is_utf8(std::string_view text);

}  // namespace aisfs
