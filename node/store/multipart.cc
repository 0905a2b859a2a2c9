// SPDX-License-Identifier: MIT
#include "node/store/multipart.h"

#include <fcntl.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/disk/atomic_file.h"
#include "common/disk/posix.h"
#include "common/wire/envelope.h"
#include "node/store/file_walk.h"

namespace aisfs::store {

UploadFolder::UploadFolder(Mountpath& mp, const BucketName& bucket, const std::string& upload)
    : mp_(mp), upload_(upload), dir_(layout::uploads_dir(dir_of(bucket)) + "/" + upload) {}

template <class Record>
Status UploadFolder::save(const std::string& name, const Record& record) {
  const std::string bytes = wire::encode(record);
  return disk::write_file_atomically(mp_.root(), path(name), bytes);
}

Status UploadFolder::create(const UploadRecord& record) {
  CHECK_OK(disk::make_dirs(mp_.root(), dir_));
  return save("upload", record);
}

Result<UploadRecord> UploadFolder::load() const {
  // The id comes from the client: only what create_upload gives is a folder's name.
  const bool ours = upload_.size() == 32 &&
                    upload_.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (ours) {
    auto bytes = disk::read_file(mp_.root(), path("upload"), 16_MiB);
    if (bytes) return wire::decode<UploadRecord>(*bytes);
    if (bytes.error().code() != Errc::not_found) return std::move(bytes).error();
  }
  return Error(Errc::not_found, "upload \"" + upload_ + "\" does not exist");
}

Result<std::optional<FinishedUpload>> UploadFolder::finished() const {
  auto bytes = disk::read_file(mp_.root(), path("done"), 16_MiB);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return std::optional<FinishedUpload>();
    return std::move(bytes).error();
  }
  TRY(auto record, wire::decode<FinishedUpload>(*bytes));
  return std::optional(std::move(record));
}

Status UploadFolder::finish(const FinishedUpload& record) {
  CHECK_OK(save("done", record));
  TRY(const auto left, parts());
  for (const PartRecord& part : left) {
    for (const auto& name : {part.file, std::to_string(part.part.number) + ".p"}) {
      Status gone = disk::unlink_beneath(mp_.root(), path(name));
      if (!gone && gone.error().code() != Errc::not_found) return gone;
    }
  }
  return {};
}

Status UploadFolder::remove() { return remove_tree(mp_.root(), dir_); }

Status UploadFolder::put_part(PartRecord record, Body& body) {
  const std::string number = std::to_string(record.part.number);
  const std::string work = body.work->path();
  record.file = number + "-" + work.substr(work.rfind('/') + 1) + "-" +
                to_hex(as_bytes(random_bytes(4)));  // work files count from 1 after a restart
  const auto old = disk::read_file(mp_.root(), path(number + ".p"), 16_MiB);
  CHECK_OK(disk::rename_beneath(mp_.root(), work, path(record.file)));
  body.work->published();
  CHECK_OK(save(number + ".p", record));
  if (!old) return {};
  TRY(const auto replaced, wire::decode<PartRecord>(*old));
  return disk::unlink_beneath(mp_.root(), path(replaced.file));
}

Result<std::vector<PartRecord>> UploadFolder::parts() const {
  std::vector<PartRecord> out;
  std::mutex mutex;
  auto take = [&](const std::string& file) -> Status {
    if (!file.ends_with(".p")) return {};
    TRY(const std::string bytes, disk::read_file(mp_.root(), file, 16_MiB));
    TRY(auto record, wire::decode<PartRecord>(bytes));
    std::lock_guard lock(mutex);
    out.push_back(std::move(record));
    return {};
  };
  CHECK_OK(walk_files(mp_.root(), dir_, take));
  std::sort(out.begin(), out.end(), [](const PartRecord& a, const PartRecord& b) {
    return a.part.number < b.part.number;
  });
  return out;
}

std::string etag_of_parts(const std::vector<PartRecord>& parts) {
  Digest md5(Digest::Kind::kMd5);
  for (const PartRecord& part : parts) md5.update(as_bytes(part.md5));
  return to_hex(as_bytes(md5.finish())) + "-" + std::to_string(parts.size());
}

namespace {

std::optional<std::string> composite_checksum(const std::string& name,
                                              const std::vector<PartRecord>& parts) {
  ExpectedChecksums compute{.md5 = std::nullopt, .named = {{name, ""}}};
  BodyDigests digests(false, compute);
  for (const PartRecord& part : parts) {
    const auto it = part.part.checksums.find(name);
    if (it == part.part.checksums.end()) return std::nullopt;
    const auto raw = from_base64(it->second);
    if (!raw.ok()) return std::nullopt;
    digests.update(as_bytes(*raw));
  }
  auto sums = digests.finish();
  if (!sums.ok() || !sums->named.contains(name)) return std::nullopt;
  return sums->named[name] + "-" + std::to_string(parts.size());
}

}  // namespace

std::map<std::string, std::string> checksums_of_parts(
    const std::map<std::string, std::string>& wanted, const std::vector<PartRecord>& parts) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : wanted) {
    const auto sum = value.empty() ? composite_checksum(name, parts) : std::optional(value);
    if (sum) out[name] = *sum;
  }
  return out;
}

Result<std::vector<PartRecord>> pick_parts(std::vector<PartRecord> have,
                                           const std::vector<CompletedPart>& wanted) {
  if (wanted.empty()) return Error(Errc::invalid_argument, "an upload is completed from its parts: none named");
  std::vector<PartRecord> out;
  std::uint32_t last = 0;
  for (const CompletedPart& want : wanted) {
    const std::string name = "part " + std::to_string(want.number);
    if (want.number <= last) return Error(Errc::invalid_argument, name + " is not in ascending order");
    last = want.number;
    const auto it = std::find_if(have.begin(), have.end(), [&](const PartRecord& p) {
      return p.part.number == want.number;
    });
    if (it == have.end()) return Error(Errc::invalid_argument, name + " was not uploaded");
    if (!want.etag.empty() && want.etag != it->part.etag) {
      return Error(Errc::invalid_argument, name + " has the etag \"" + it->part.etag + "\"");
    }
    out.push_back(std::move(*it));
  }
  return out;
}

namespace {

Status append_file(int root, const std::string& path, int to, std::uint64_t at, std::uint64_t size) {
  TRY(const UniqueFd from, disk::open_beneath(root, path, O_RDONLY));
  loff_t in = 0, out = static_cast<loff_t>(at);
  while (static_cast<std::uint64_t>(in) < size) {
    const ssize_t n = ::copy_file_range(from.get(), &in, to, &out, size - static_cast<std::uint64_t>(in), 0);
    if (n < 0) return errno_error("copy_file_range " + path);
    if (n == 0) return Error(Errc::corrupt, path + " is shorter than its record says");
  }
  return {};
}

Status hash_file(BlockHashes& hashes, int fd, std::uint64_t size) {
  BlockHasher hasher;
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
  for (std::uint64_t at = 0; at < size; at += kHashBlockBytes) {
    const MutableBytes part(buffer.get(), std::min<std::uint64_t>(kHashBlockBytes, size - at));
    CHECK_OK(disk::pread_exactly(fd, part, at));
    hasher.update(part);
  }
  hashes = hasher.finish();
  return {};
}

bool whole_blocks(const std::vector<PartRecord>& parts) {
  return std::all_of(parts.begin(), parts.end() - 1, [](const PartRecord& p) {
    return p.part.size % kHashBlockBytes == 0;
  });
}

}  // namespace

Status join_parts(Body& body,
                  Mountpath& mp,
                  const UploadFolder& folder,
                  const std::vector<PartRecord>& parts) {
  TRY(auto work, WorkFile::adopt(mp, folder.path(parts.front().file)));
  body.work.emplace(std::move(work));
  const int fd = body.work->fd();
  if (::ftruncate(fd, static_cast<off_t>(parts.front().part.size)) != 0) {
    return errno_error("ftruncate of the first part");
  }
  for (const PartRecord& part : parts) {
    if (&part != &parts.front()) {
      CHECK_OK(mp.check_space(part.part.size));
      CHECK_OK(append_file(mp.root(), folder.path(part.file), fd, body.size, part.part.size));
    }
    body.size += part.part.size;
    body.part_sizes.push_back(part.part.size);
    auto& blocks = body.sums.hashes.blocks;
    blocks.insert(blocks.end(), part.hashes.blocks.begin(), part.hashes.blocks.end());
  }
  body.sums.hashes.root = root_of(body.sums.hashes.blocks);
  if (!whole_blocks(parts)) CHECK_OK(hash_file(body.sums.hashes, fd, body.size));
  body.finished = true;
  return {};
}

}  // namespace aisfs::store
