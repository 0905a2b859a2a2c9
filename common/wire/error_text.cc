// SPDX-License-Identifier: MIT
#include "common/wire/error_text.h"

#include "common/base/text.h"

namespace aisfs::wire {
namespace {

// A text is for people: a longer one says no more, and headers are bounded.
constexpr std::size_t kErrorTextMax = 2048;

std::optional<Errc> parse_errc(std::string_view name) {
  for (std::size_t i = 0; i < kErrcCount; ++i) {
    if (kErrcInfo[i].name == name) return static_cast<Errc>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string encode_error(const Error& error) {
  std::string line(info(error.code()).name);
  const std::string_view text = std::string_view(error.what()).substr(0, kErrorTextMax);
  return line + " " + percent_encode(text, Slash::kKeep);
}

Error decode_error(std::string_view text, int http_status) {
  const auto space = text.find(' ');
  const auto code = parse_errc(text.substr(0, space));
  std::string what;
  if (space != text.npos) what = percent_decode(text.substr(space + 1)).value_or({});
  if (what.empty()) what = "HTTP status " + std::to_string(http_status);
  return Error(code.value_or(errc_of_status(http_status)), std::move(what));
}

Errc errc_of_status(int http_status) {
  switch (http_status) {
    case 304: return Errc::not_modified;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::permission_denied;
    case 404: return Errc::not_found;
    case 409: return Errc::busy;
    case 412: return Errc::precondition_failed;
    case 413: return Errc::too_large;
    case 416: return Errc::out_of_range;
    case 429: return Errc::overloaded;
    case 501: return Errc::unsupported;
    case 503: return Errc::not_ready;
    case 504: return Errc::timed_out;
    case 507: return Errc::no_space;
    default: return http_status >= 500 ? Errc::internal : Errc::invalid_argument;
  }
}

}  // namespace aisfs::wire
