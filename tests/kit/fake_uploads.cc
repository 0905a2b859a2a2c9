// SPDX-License-Identifier: MIT
// The multipart half of FakeStore.
#include <chrono>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "tests/kit/fake_store.h"

namespace aisfs::tests {
namespace {

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string raw_md5(std::string_view text) {
  Digest digest(Digest::Kind::kMd5);
  digest.update(as_bytes(text));
  return digest.finish();
}

Error no_such_upload(const std::string& upload) {
  return Error(Errc::not_found, "upload " + upload + " does not exist");
}

}  // namespace

Result<std::string> FakeStore::create_upload(const ObjectName& name, const PutOptions& options) {
  CHECK_OK(validate_key(name.key));
  const std::lock_guard lock(mutex_);
  CHECK_OK(objects_of(name.bucket));
  const std::string id = "upload" + to_hex(++last_id_);
  uploads_[id] = Upload{name, options, wall_ns(), {}};
  return id;
}

Result<UploadPart> FakeStore::put_part(const ObjectName& name,
                                       const std::string& upload,
                                       std::uint32_t number,
                                       std::string body) {
  const std::lock_guard lock(mutex_);
  const auto it = uploads_.find(upload);
  if (it == uploads_.end() || it->second.name != name) return no_such_upload(upload);
  if (number < 1 || number > 10'000) {
    return Error(Errc::invalid_argument, "part numbers are 1 to 10000");
  }
  const std::string raw = raw_md5(body);
  UploadPart part{.number = number,
                  .size = body.size(),
                  .etag = to_hex(as_bytes(raw)),
                  .modified_ns = wall_ns()};
  it->second.parts[number] = {part, std::move(body)};
  return part;
}

Result<ObjectInfo> FakeStore::complete_upload(const ObjectName& name,
                                              const std::string& upload,
                                              const std::vector<CompletedPart>& parts,
                                              const Conditions& conditions) {
  PutOptions options;
  std::string body, digests;
  std::vector<std::uint64_t> sizes;
  {
    const std::lock_guard lock(mutex_);
    if (const auto done = completed_.find(upload); done != completed_.end()) return done->second;
    const auto it = uploads_.find(upload);
    if (it == uploads_.end() || it->second.name != name) return no_such_upload(upload);
    std::uint32_t last = 0;
    for (const CompletedPart& wanted : parts) {
      const auto part = it->second.parts.find(wanted.number);
      const bool right = wanted.number > last && part != it->second.parts.end() &&
                         (wanted.etag.empty() || wanted.etag == part->second.first.etag);
      if (!right) {
        return Error(Errc::invalid_argument,
                     "part " + std::to_string(wanted.number) + " is missing, changed or out of order");
      }
      last = wanted.number;
      body += part->second.second;
      digests += raw_md5(part->second.second);
      sizes.push_back(part->second.second.size());
    }
    if (parts.empty()) return Error(Errc::invalid_argument, "an upload needs at least one part");
    options = it->second.options;
  }
  const std::string raw = raw_md5(digests);
  options.etag = to_hex(as_bytes(raw)) + "-" + std::to_string(parts.size());
  options.conditions = conditions;
  TRY(ObjectInfo info, put(name, options, std::move(body)));
  const std::lock_guard lock(mutex_);
  info.part_sizes = sizes;
  TRY(Objects* const objects, objects_of(name.bucket));
  if (const auto it = objects->find(name.key);
      it != objects->end() && it->second.info.content_version == info.content_version) {
    it->second.info.part_sizes = sizes;
  }
  completed_[upload] = info;
  uploads_.erase(upload);
  return info;
}

Status FakeStore::abort_upload(const ObjectName& name, const std::string& upload) {
  const std::lock_guard lock(mutex_);
  const auto it = uploads_.find(upload);
  if (it == uploads_.end() || it->second.name != name) return no_such_upload(upload);
  uploads_.erase(it);
  return {};
}

Result<PartList> FakeStore::list_parts(const ObjectName& name,
                                       const std::string& upload,
                                       std::uint32_t after,
                                       std::uint32_t limit) const {
  const std::lock_guard lock(mutex_);
  const auto it = uploads_.find(upload);
  if (it == uploads_.end() || it->second.name != name) return no_such_upload(upload);
  PartList list;
  for (auto part = it->second.parts.upper_bound(after); part != it->second.parts.end(); ++part) {
    if (list.parts.size() == limit) {
      list.more = true;
      break;
    }
    list.parts.push_back(part->second.first);
  }
  return list;
}

Result<UploadList> FakeStore::list_uploads(const BucketName& bucket,
                                           const std::string& prefix,
                                           const std::string& after_key,
                                           const std::string& after_id,
                                           std::uint32_t limit) const {
  const std::lock_guard lock(mutex_);
  CHECK_OK(objects_of(bucket));
  std::map<std::pair<std::string, std::string>, UploadInfo> sorted;
  for (const auto& [id, upload] : uploads_) {
    if (upload.name.bucket != bucket || !upload.name.key.starts_with(prefix)) continue;
    sorted[{upload.name.key, id}] = {.key = upload.name.key, .id = id, .started_ns = upload.started_ns, .initiator = upload.options.initiator};
  }
  UploadList list;
  for (const auto& [key, upload] : sorted) {
    const bool seen = after_id.empty() ? key.first <= after_key && !after_key.empty()
                                       : key <= std::pair(after_key, after_id);
    if (seen) continue;
    if (list.uploads.size() == limit) {
      list.more = true;
      break;
    }
    list.uploads.push_back(upload);
  }
  return list;
}

}  // namespace aisfs::tests
