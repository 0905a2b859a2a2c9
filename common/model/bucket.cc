// SPDX-License-Identifier: MIT
#include "common/model/bucket.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace aisfs {
namespace {

constexpr std::array<std::string_view, 3> kDurability = {"none", "data", "full"};
constexpr std::array<std::string_view, 3> kVerifyRead = {"first", "always", "never"};
constexpr std::array<std::string_view, 3> kVersioning = {"off", "enabled", "suspended"};

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_ais_char(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
}

bool looks_like_ipv4(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         name.find_first_not_of("0123456789.") == name.npos;
}

Error bad_name(std::string_view name, std::string_view why) {
  std::string text("bucket name \"");
  text.append(name).append("\" is invalid: ").append(why);
  return Error(Errc::invalid_argument, std::move(text));
}

}  // namespace

std::string BucketName::uname() const {
  std::string text;  // several times in a request
  text.reserve(provider.size() + ns.size() + name.size() + 5);
  text.append(provider).append("/").append(ns.empty() ? "@#" : ns);
  return text.append("/").append(name).append("/");
}

std::string BucketName::display() const {
  return provider + "://" + (ns.empty() ? "" : ns + "/") + name;
}

BucketName native_bucket(std::string name) { return {.ns = {}, .name = std::move(name)}; }

Status validate_bucket_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return bad_name(name, "must have 1 to 64 characters");
  if (!std::all_of(name.begin(), name.end(), is_ais_char)) {
    return bad_name(name, "may contain only letters, digits, '_', '-' and '.'");
  }
  if (name.starts_with('.') || name.find("..") != name.npos) {
    return bad_name(name, "must not begin with '.' or contain '..'");
  }
  return {};
}

Status validate_s3_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return bad_name(name, "must have 3 to 63 characters");
  const auto allowed = [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; };
  if (!std::all_of(name.begin(), name.end(), allowed)) {
    return bad_name(name, "may contain only a-z, 0-9, '-' and '.'");
  }
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) {
    return bad_name(name, "must begin and end with a letter or a digit");
  }
  if (name.find("..") != name.npos || name.find(".-") != name.npos || name.find("-.") != name.npos) {
    return bad_name(name, "must not contain '..', '.-' or '-.'");
  }
  if (looks_like_ipv4(name)) return bad_name(name, "must not look like an IP address");
  return {};
}

std::string_view to_string(Durability level) { return kDurability[static_cast<std::size_t>(level)]; }
std::string_view to_string(VerifyRead mode) { return kVerifyRead[static_cast<std::size_t>(mode)]; }
std::string_view to_string(Versioning mode) { return kVersioning[static_cast<std::size_t>(mode)]; }

std::string to_string(const ErasureProps& erasure) {
  if (!erasure.enabled()) return "off";
  return std::to_string(erasure.data) + "+" + std::to_string(erasure.parity);
}

Status parse_geometry(std::string_view text, ErasureProps& erasure) {
  std::array<std::uint8_t, 2> counts{};
  if (text != "off") {
    const auto plus = text.find('+');
    const std::array parts{text.substr(0, plus),
                           plus == text.npos ? std::string_view() : text.substr(plus + 1)};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto count = parse_u64(parts[i]);
      if (!count || *count < 1 || *count > ErasureProps::kMost) {
        return Error(Errc::invalid_argument,
                     "\"" + std::string(text) +
                         "\" is no erasure code; write data+parity, 1 to 16 each, or off");
      }
      counts[i] = static_cast<std::uint8_t>(*count);
    }
  }
  erasure.data = counts[0];
  erasure.parity = counts[1];
  return {};
}

Result<Versioning> parse_versioning(std::string_view text) {
  const auto it = std::find(kVersioning.begin(), kVersioning.end(), text);
  if (it == kVersioning.end()) {
    return Error(Errc::invalid_argument, "versioning is off, enabled or suspended");
  }
  return static_cast<Versioning>(it - kVersioning.begin());
}

Result<Durability> parse_durability(std::string_view text) {
  const auto it = std::find(kDurability.begin(), kDurability.end(), text);
  if (it == kDurability.end()) {
    return Error(Errc::invalid_argument, "durability is none, data or full");
  }
  return static_cast<Durability>(it - kDurability.begin());
}

Result<VerifyRead> parse_verify_read(std::string_view text) {
  const auto it = std::find(kVerifyRead.begin(), kVerifyRead.end(), text);
  if (it == kVerifyRead.end()) {
    return Error(Errc::invalid_argument, "verify_read is first, always or never");
  }
  return static_cast<VerifyRead>(it - kVerifyRead.begin());
}

}  // namespace aisfs
