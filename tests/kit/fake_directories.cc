// SPDX-License-Identifier: MIT
// The directories of FakeStore: markers ("a/") and what lies below a name.
#include "tests/kit/fake_store.h"

namespace aisfs::tests {
namespace {

template <class Objects>
bool has_entry_below(const Objects& objects, const std::string& dir_slash, bool marker_counts) {
  auto it = objects.lower_bound(dir_slash);
  if (!marker_counts && it != objects.end() && it->first == dir_slash) ++it;
  return it != objects.end() && it->first.starts_with(dir_slash);
}

}  // namespace

Result<LookupReply> FakeStore::lookup(const BucketName& bucket, const std::string& path) const {
  const std::lock_guard lock(mutex_);
  TRY(const Objects* const objects, objects_of(bucket));
  using Kind = LookupReply::Kind;
  LookupReply reply;
  const std::string dir = path.empty() ? "" : path + "/";
  const auto marker = dir.empty() ? objects->end() : objects->find(dir);
  if (marker != objects->end()) {
    reply = {.kind = Kind::kDirectory, .explicit_dir = true, .info = marker->second.info};
  } else if (path.empty() || has_entry_below(*objects, dir, true)) {
    reply.kind = Kind::kDirectory;
  } else if (const auto file = objects->find(path); file != objects->end()) {
    reply = {.kind = Kind::kFile, .info = file->second.info};
  }
  return reply;
}

Result<ObjectInfo> FakeStore::make_dir(const BucketName& bucket,
                                       const std::string& path,
                                       const MakeDirOptions& options) {
  CHECK_OK(validate_key(path + "/"));
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(bucket));
  if (objects->contains(path) || has_entry_below(*objects, path + "/", true)) {
    return Error(Errc::already_exists, path + " exists");
  }
  ObjectInfo info{.ino = options.ino.value_or(++last_ino_), .posix = options.posix};
  return publish(*objects, path + "/", std::move(info), "");
}

Status FakeStore::remove_dir(const BucketName& bucket, const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(bucket));
  const std::string dir = path + "/";
  if (has_entry_below(*objects, dir, false)) return Error(Errc::not_empty, path + " is not empty");
  if (objects->erase(dir) == 1) return {};
  if (objects->contains(path)) return Error(Errc::not_directory, path + " is a file");
  return Error(Errc::not_found, path + " does not exist");
}

Status FakeStore::rename_dir(const BucketName& bucket,
                             const std::string& from,
                             const std::string& to,
                             bool no_replace) {
  CHECK_OK(validate_key(to + "/"));
  if (to.starts_with(from + "/")) {
    return Error(Errc::invalid_argument, to + " lies below " + from);
  }
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(bucket));
  if (!has_entry_below(*objects, from + "/", true)) {
    if (objects->contains(from)) return Error(Errc::not_directory, from + " is a file");
    return Error(Errc::not_found, from + " does not exist");
  }
  if (from == to) return {};
  const bool is_dir = has_entry_below(*objects, to + "/", true);
  if (no_replace && (is_dir || objects->contains(to))) {
    return Error(Errc::already_exists, to + " exists");
  }
  if (!is_dir && objects->contains(to)) return Error(Errc::not_directory, to + " is a file");
  if (has_entry_below(*objects, to + "/", false)) {
    return Error(Errc::not_empty, to + " is not empty");
  }
  objects->erase(to + "/");
  std::vector<std::pair<std::string, Content>> moved;
  auto it = objects->lower_bound(from + "/");
  while (it != objects->end() && it->first.starts_with(from + "/")) {
    superseded_[it->second.info.content_version] = it->second;
    moved.emplace_back(to + it->first.substr(from.size()), std::move(it->second));
    it = objects->erase(it);
  }
  for (auto& [key, content] : moved) (*objects)[key] = std::move(content);
  return {};
}

}  // namespace aisfs::tests
