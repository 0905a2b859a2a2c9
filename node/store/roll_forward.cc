// SPDX-License-Identifier: MIT
#include "node/store/roll_forward.h"

#include <fcntl.h>

#include "common/disk/posix.h"
#include "node/store/layout.h"
#include "node/store/log_records.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

struct StagedPut {
  StagedPutRecord record;
  ConstBytes content;

  Name name() const { return {record.bucket, record.key}; }
  bool has_content() const { return record.work_path.empty(); }
};

Result<StagedPut> decode_staged(std::string_view payload) {
  TRY(const std::size_t head, wire::envelope_size(payload));
  TRY(auto record, wire::decode<StagedPutRecord>(payload));
  const ConstBytes content = as_bytes(payload.substr(head));
  if (content.size() != record.content_bytes) {
    return Error(Errc::corrupt, "a staged put has not the content that it promises");
  }
  return StagedPut{std::move(record), content};
}

/// Compares every block with its hash.
bool is_whole(OpenFile& file) {
  const std::uint64_t blocks = block_count(file.meta.info.size);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
  for (std::uint64_t block = 0; block < blocks; ++block) {
    const MutableBytes into(buffer.get(), block_size(file, block));
    if (!load_block(file, block, into, VerifyRead::kAlways)) return false;
  }
  return true;
}

class RollForward {
 public:
  RollForward(Mountpath& mountpath, const IntentSum& sum, const RollForwardRules& rules)
      : mp_(mountpath), sum_(sum), rules_(rules) {}

  Result<std::uint64_t> run() {
    auto visit = [this](const LogRecord& record) -> Status {
      if (record.type != LogType::kStagedPut) return {};
      TRY(const StagedPut put, decode_staged(record.payload));
      const IntentSum::Staged& staged = sum_.staged.at(put.name());
      const Version version = put.record.content_version;
      // The newest may have no file, if its barrier never ended: then the one before it counts.
      const bool counts = staged.versions.contains(version) && version >= staged.certain;
      return counts ? finish(put) : Status();
    };
    CHECK_OK(mp_.intents().replay(visit));
    return finished_;
  }

 private:
  Status finish(const StagedPut& put) {
    const Version version = put.record.content_version;
    const auto dir = rules_.dir_of(put.record.bucket);
    if (!dir || version <= rules_.gone_at(put.name())) return {};
    bool escaped = false;
    const auto there = find_file(mp_, *dir, put.name(), escaped);
    const Version now = there ? there->meta.info.content_version : Version{};
    if (now > version) return {};
    // Something else since, with content from before: a name that was renamed elsewhere.
    if (there && now != version && there->meta.info.meta_version > version) return {};
    if (now == version && (!rules_.doubt_files || is_whole(*there))) return {};
    TRY(auto work, now == version ? content_of(put, *dir, there->meta) : version_of(put, *dir));
    if (!work) return {};
    std::optional<bool> at;
    if (there) at = escaped;
    CHECK_OK(place(mp_, *dir, put.record.key, at, work->path()));
    work->published();
    if (there && now < version)
      remove_side(mp_, *dir, put.record.key, there->meta.info.meta_version);
    ++finished_;
    return {};
  }

  /// The version's file, still without its name; nullopt when it never became durable.
  Result<std::optional<WorkFile>> version_of(const StagedPut& put, const std::string& dir) {
    if (put.has_content()) {
      TRY(const StoredMeta meta, decode_meta(put.record.xattr, put.record.side));
      return content_of(put, dir, meta);
    }
    const auto file = open_object_file(mp_, dir, put.record.work_path);
    if (!file) return std::optional<WorkFile>();
    const StoredMeta& meta = (*file)->meta;
    const bool ours = Name{meta.bucket, meta.key} == put.name() &&
                      meta.info.content_version == put.record.content_version;
    if (!ours || !is_whole(**file)) return std::optional<WorkFile>();
    TRY(auto work, WorkFile::adopt(mp_, put.record.work_path));
    return std::optional<WorkFile>(std::move(work));
  }

  /// A new file of the content in the record. The metadata may be newer than the record's.
  Result<std::optional<WorkFile>> content_of(const StagedPut& put,
                                             const std::string& dir,
                                             const StoredMeta& meta) {
    if (!put.has_content()) return std::optional<WorkFile>();
    const std::string path = std::string(layout::kWorkDir) + "/rolled";
    TRY([[maybe_unused]] const UniqueFd made,
        disk::open_beneath(mp_.root(), path, O_CREAT | O_TRUNC | O_RDWR));
    TRY(auto work, WorkFile::adopt(mp_, path));
    CHECK_OK(disk::pwrite_all(work.fd(), put.content, 0));
    TRY(const std::string xattr, write_side(mp_, dir, meta));
    CHECK_OK(disk::set_xattr(work.fd(), kMetaXattr, xattr));
    return std::optional<WorkFile>(std::move(work));
  }

  Mountpath& mp_;
  const IntentSum& sum_;
  const RollForwardRules& rules_;
  std::uint64_t finished_ = 0;
};

}  // namespace

std::shared_ptr<OpenFile> find_file(const Mountpath& mountpath,
                                    const std::string& dir,
                                    const Name& name,
                                    bool& escaped) {
  std::shared_ptr<OpenFile> newest;
  for (const bool try_escaped : {false, true}) {
    if (!try_escaped && layout::must_escape(name.second)) continue;
    auto file = open_object_file(mountpath, dir, path_of(dir, name.second, try_escaped));
    if (!file || (*file)->meta.bucket != name.first) continue;
    if (!stands_for((*file)->meta, name.second)) continue;
    const auto version = (*file)->meta.info.meta_version;
    if (newest && newest->meta.info.meta_version >= version) continue;
    newest = *std::move(file);
    escaped = try_escaped;
  }
  return newest;
}

Result<IntentSum> sum_up_intents(const IntentLog& intents) {
  IntentSum sum;
  std::vector<std::pair<Name, Version>> cancelled, with_content;
  auto note = [&](const LogRecord& record) -> Status {
    ++sum.records;
    if (record.type == LogType::kTombstone) {
      TRY(auto r, wire::decode<TombstoneRecord>(record.payload));
      Version& version = sum.tombstones[{r.bucket, std::move(r.key)}];
      version = std::max(version, r.version);
    } else if (record.type == LogType::kStagedPut) {
      TRY(const StagedPut put, decode_staged(record.payload));
      sum.staged[put.name()].versions.insert(put.record.content_version);
      if (put.has_content()) with_content.emplace_back(put.name(), put.record.content_version);
    } else if (record.type == LogType::kStagedCancelled) {
      TRY(auto r, wire::decode<StagedCancelledRecord>(record.payload));
      cancelled.emplace_back(Name{r.bucket, std::move(r.key)}, r.content_version);
    }
    return {};
  };
  CHECK_OK(intents.replay(note));
  for (const auto& [name, version] : cancelled) sum.staged[name].versions.erase(version);
  for (const auto& [name, version] : with_content) {
    IntentSum::Staged& staged = sum.staged[name];
    if (staged.versions.contains(version)) staged.certain = std::max(staged.certain, version);
  }
  return sum;
}

Result<std::uint64_t> roll_forward(Mountpath& mountpath,
                                   const IntentSum& sum,
                                   const RollForwardRules& rules) {
  return RollForward(mountpath, sum, rules).run();
}

}  // namespace aisfs::store
