// SPDX-License-Identifier: MIT
#include "node/store/layout.h"

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::store::layout {
namespace {

constexpr std::string_view kMarker = "%dir";

bool is_component(std::string_view text) {
  return !text.empty() && text.size() <= kComponentBytesMax && text != "." && text != ".." &&
         text.find('/') == std::string_view::npos && text.find('\0') == std::string_view::npos;
}

/// A component that an object's own path may have.
bool is_plain(std::string_view component) { return is_component(component) && component != kMarker; }

std::string hex_path(std::uint64_t key_hash, Version version) {
  const std::string hash = to_hex(key_hash);
  return hash.substr(0, 2) + "/" + version.to_string() + "-" + hash;
}

}  // namespace

Result<std::string> bucket_dir(const BucketName& bucket) {
  const bool ns_ok = bucket.ns.empty() ||
                     (is_component(bucket.ns) && (bucket.ns[0] == '@' || bucket.ns[0] == '#'));
  const bool name_ok = is_component(bucket.name) && bucket.name[0] != '@' &&
                       bucket.name[0] != '#' && bucket.name[0] != '%';
  if (!is_component(bucket.provider) || !ns_ok || !name_ok) {
    return Error(Errc::invalid_argument,
                 "bucket \"" + bucket.display() + "\" has no name that a folder can have");
  }
  std::string dir = "@" + bucket.provider + "/";
  if (!bucket.ns.empty()) dir += bucket.ns + "/";
  return dir + bucket.name;
}

std::optional<BucketName> bucket_of(std::string_view dir) {
  const auto parts = split(dir, '/');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].size() < 2 || parts[0][0] != '@') {
    return std::nullopt;
  }
  BucketName bucket{.provider = std::string(parts[0].substr(1)),
                    .ns = parts.size() == 3 ? std::string(parts[1]) : std::string(),
                    .name = std::string(parts.back())};
  const auto back = bucket_dir(bucket);
  if (!back || *back != dir) return std::nullopt;
  return bucket;
}

bool must_escape(std::string_view key) {
  if (key.ends_with('/')) key.remove_suffix(1);  // a marker: the folder's own rule
  const auto components = split(key, '/');
  return components.size() > kComponentsMax ||
         !std::all_of(components.begin(), components.end(), is_plain);
}

ObjectPath object_path(const std::string& bucket_dir, std::string_view key) {
  if (must_escape(key)) return escaped_path(bucket_dir, key);
  ObjectPath out{.path = objects_dir(bucket_dir) + "/"};
  out.path += key;
  if (key.ends_with('/')) out.path += kMarker;
  return out;
}

ObjectPath escaped_path(const std::string& bucket_dir, std::string_view key) {
  const std::string hash = to_hex(as_bytes(sha256(key)));
  return {.path = escaped_dir(bucket_dir) + "/" + hash.substr(0, 2) + "/" + hash, .escaped = true};
}

std::optional<std::string> key_of_plain(std::string_view below_ob) {
  std::string key(below_ob);
  if (key.ends_with(kMarker)) key.resize(key.size() - kMarker.size());
  const bool is_marker = key.size() != below_ob.size();
  if (is_marker && !key.ends_with('/')) key = below_ob;  // "x%dir" is an ordinary name
  if (!is_marker && key.ends_with('/')) return std::nullopt;
  if (key.empty() || key.size() > kKeyBytesMax || must_escape(key)) return std::nullopt;
  return key;
}

std::uint64_t key_hash(std::string_view key) { return xxh64(as_bytes(key)); }

std::string side_path(const std::string& bucket_dir, std::uint64_t hash, Version meta_version) {
  return side_dir(bucket_dir) + "/" + hex_path(hash, meta_version);
}
std::string extents_path(const std::string& bucket_dir, std::uint64_t hash, Version version) {
  return extents_dir(bucket_dir) + "/" + hex_path(hash, version);
}
std::string old_path(const std::string& bucket_dir, std::uint64_t hash, Version version) {
  return old_dir(bucket_dir) + "/" + hex_path(hash, version);
}

std::string slice_path(const std::string& bucket_dir,
                       std::uint64_t hash,
                       Version version,
                       unsigned index) {
  return slices_dir(bucket_dir) + "/" + hex_path(hash, version) + "." + std::to_string(index);
}

std::string deleted_path(BucketId id) { return std::string(kDeletedDir) + "/" + to_hex(id.value); }

}  // namespace aisfs::store::layout
