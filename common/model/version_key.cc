// SPDX-License-Identifier: MIT
#include "common/model/version_key.h"

#include "common/base/text.h"

namespace aisfs {
namespace {

constexpr std::string_view kWithoutId = "-null";
constexpr std::size_t kSuffixBytesMax = 64;

std::string join(std::string_view key, std::string_view suffix) {
  std::string name(key);
  name += kVersionSeparator;
  return name.append(suffix);
}

}  // namespace

bool is_version_key(std::string_view key) { return key.find(kVersionSeparator) != key.npos; }

std::string_view plain_key(std::string_view key) {
  return key.substr(0, key.find(kVersionSeparator));
}

std::string_view version_suffix(std::string_view key) {
  const auto at = key.find(kVersionSeparator);
  return at == key.npos ? std::string_view() : key.substr(at + 1);
}

std::string version_key(std::string_view key, std::string_view id) { return join(key, id); }

std::string kept_key(std::string_view key, const ObjectInfo& info) {
  const auto id = info.headers.find(std::string(kVersionIdHeader));
  if (id != info.headers.end()) return join(key, id->second);
  return join(key, new_version_id(info.content_version)).append(kWithoutId);
}

std::string after_versions(std::string_view key) { return join(key, "\xff"); }

std::string new_version_id(Version version) {
  // Inverted, so that byte order is newest first.
  const auto low = std::uint64_t{version.incarnation};
  const auto middle = version.hlc;
  const auto high = std::uint64_t{version.epoch};
  return to_hex(~high).substr(8) + to_hex(~middle) + to_hex(~low).substr(8);
}

std::string version_id(const ObjectInfo& info) {
  const auto id = info.headers.find(std::string(kVersionIdHeader));
  return id == info.headers.end() ? std::string(kNullVersion) : id->second;
}

std::string_view version_id_of_suffix(std::string_view suffix) {
  return suffix.ends_with(kWithoutId) ? kNullVersion : suffix;
}

bool is_delete_marker(const ObjectInfo& info) {
  return info.headers.contains(std::string(kDeleteMarkerHeader));
}

Status validate_version_key(std::string_view key) {
  const std::string_view suffix = version_suffix(key);
  if (suffix.size() > kSuffixBytesMax || is_version_key(suffix)) {
    return Error(Errc::invalid_argument, "this names no version of an object");
  }
  return validate_key(plain_key(key));
}

}  // namespace aisfs
