// SPDX-License-Identifier: MIT
#include "common/s3/list_marker.h"

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::s3 {
namespace {

// Version, then the name, then 4 bytes that catch tokens that were cut or made up.
constexpr char kVersion = '1';
constexpr std::size_t kNameBytesMax = 4096;

std::string check_of(std::string_view body) {
  std::uint32_t crc = crc32c(as_bytes(body));
  std::string out(4, '\0');
  for (char& c : out) {
    c = static_cast<char>(crc & 0xff);
    crc >>= 8;
  }
  return out;
}

}  // namespace

std::string encode_marker(std::string_view name) {
  std::string body(1, kVersion);
  body.append(name);
  body.append(check_of(body));
  return to_base64url(as_bytes(body));
}

Result<std::string> decode_marker(std::string_view token) {
  const Error bad(Errc::invalid_argument, "not a continuation token of this service");
  if (token.size() > (kNameBytesMax + 5) / 3 * 4 + 4) return bad;
  auto body = from_base64url(token);
  if (!body.ok() || body->size() < 5 || body->front() != kVersion) return bad;
  const std::string check = body->substr(body->size() - 4);
  body->resize(body->size() - 4);
  if (check != check_of(*body)) return bad;
  return body->substr(1);
}

}  // namespace aisfs::s3
