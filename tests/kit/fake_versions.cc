// SPDX-License-Identifier: MIT
// Versions of objects in the cluster in memory.
#include "common/model/version_key.h"
#include "tests/kit/fake_store.h"

namespace aisfs::tests {

Versioning FakeStore::versioning_of(const BucketName& bucket) const {
  const Bucket* found = map_->find_bucket(bucket);
  return found == nullptr ? Versioning::kOff : found->props.versioning;
}

std::string FakeStore::place_of(const Objects& objects, const std::string& key) const {
  if (!is_version_key(key)) return key;
  const std::string plain(plain_key(key));
  const std::string_view id = version_suffix(key);
  const auto current = objects.find(plain);
  if (current != objects.end() && version_id(current->second.info) == id) return plain;
  for (auto it = objects.upper_bound(plain);
       it != objects.end() && it->first < after_versions(plain); ++it) {
    if (version_id(it->second.info) == id) return it->first;
  }
  return key;
}

void FakeStore::keep(Objects& objects, const std::string& key, Versioning mode) {
  if (mode == Versioning::kOff) return;
  if (mode == Versioning::kSuspended) {  // the next one is the only one without an id
    const std::string null = place_of(objects, version_key(key, kNullVersion));
    if (null != key) objects.erase(null);
  }
  const auto current = objects.find(key);
  if (current == objects.end()) return;
  const bool null = version_id(current->second.info) == kNullVersion;
  if (mode == Versioning::kSuspended && null) return;
  objects[kept_key(key, current->second.info)] = current->second;
}

ObjectInfo FakeStore::mark(Objects& objects, const std::string& key, Versioning mode) {
  keep(objects, key, mode);
  objects.erase(key);
  ObjectInfo marker;
  marker.content_version = next_version();
  marker.headers[std::string(kDeleteMarkerHeader)] = "true";
  if (mode == Versioning::kEnabled) {
    marker.headers[std::string(kVersionIdHeader)] = new_version_id(marker.content_version);
  }
  objects[kept_key(key, marker)] = Content{marker, std::make_shared<const std::string>()};
  return marker;
}

void FakeStore::remove_version(Objects& objects, const std::string& place) {
  const std::string plain(plain_key(place));
  objects.erase(place);
  if (objects.contains(plain)) return;
  const auto newest = objects.upper_bound(plain);
  const bool is_version =
      newest != objects.end() && newest->first.starts_with(version_key(plain, ""));
  if (!is_version || is_delete_marker(newest->second.info)) return;
  objects[plain] = newest->second;
  objects.erase(newest);
}

}  // namespace aisfs::tests
