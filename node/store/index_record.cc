// SPDX-License-Identifier: MIT
#include "common/model/version_key.h"
#include "common/wire/envelope.h"
#include "node/store/index_impl.h"
#include "node/store/slice_file.h"

namespace aisfs::store {
namespace {

// Four records a page of LMDB at the worst; an ordinary one has 250 bytes.
constexpr std::size_t kRecordBytesMax = 1000;

/// In front: what counting needs, at a fixed place (index_counts_of).
template <class Archive, class Record>
void fields(Archive& ar, Record& r) {
  auto kind = static_cast<std::uint8_t>(r.kind);
  auto level = static_cast<std::uint8_t>(r.level);
  ar(kind, r.info.size, r.escaped, r.complete, level, r.root_hash, r.info, r.reference);
  r.kind = static_cast<IndexRecord::Kind>(kind);
  r.level = static_cast<Durability>(level);
}

/// Which version it is must be known without a look into the file.
bool drop_headers(ObjectInfo& info) {
  return std::erase_if(info.headers, [](const auto& header) {
           return header.first != kVersionIdHeader && header.first != kDeleteMarkerHeader;
         }) > 0;
}

/// Drops the next part from `info`, the one that LIST misses least first. False when none is left.
bool drop_one(ObjectInfo& info) {
  const auto drop = [](auto& part) { return !part.empty() && (part = {}, true); };
  return drop(info.part_sizes) || drop_headers(info) || drop(info.xattrs) || drop(info.user) ||
         drop(info.checksums) || (info.posix && drop(info.posix->symlink)) ||
         drop(info.content_type) || drop(info.etag);
}

}  // namespace

std::string encode_index_record(const IndexRecord& record) {
  std::string out;
  wire::Writer ar(out);
  IndexRecord copy = record;
  fields(ar, copy);
  return out;
}

Result<IndexRecord> decode_index_record(std::string_view bytes) {
  try {
    IndexRecord record;
    wire::Reader ar(as_bytes(bytes));
    fields(ar, record);
    return record;
  } catch (const std::exception& e) {
    return Error(Errc::corrupt, std::string("index record: ") + e.what());
  }
}

Result<IndexRecord> decode_index_summary(std::string_view bytes) {
  try {
    IndexRecord record;
    std::uint8_t kind = 0, level = 0;
    wire::Reader ar(as_bytes(bytes));
    ar(kind, record.info.size, record.escaped, record.complete, level, record.root_hash);
    record.info.serialize_summary(ar);
    record.kind = static_cast<IndexRecord::Kind>(kind);
    record.level = static_cast<Durability>(level);
    return record;
  } catch (const std::exception& e) {
    return Error(Errc::corrupt, std::string("index record: ") + e.what());
  }
}

/// Reads what fields() and ObjectInfo::serialize write first.
Result<IndexPeek> peek_index_record(std::string_view bytes) {
  try {
    IndexPeek front;
    std::uint8_t kind = 0, level = 0;
    std::uint64_t size = 0, root_hash = 0, ino = 0;
    bool escaped = false, complete = false;
    wire::Reader ar(as_bytes(bytes));
    ar(kind, size, escaped, complete, level, root_hash);
    ar(ino, front.content_version, front.meta_version);
    front.kind = static_cast<IndexRecord::Kind>(kind);
    return front;
  } catch (const std::exception& e) {
    return Error(Errc::corrupt, std::string("index record: ") + e.what());
  }
}

IndexRecord index_record_of(const StoredMeta& meta, bool escaped) {
  IndexRecord record{.kind = meta.reference ? IndexRecord::Kind::kReference
                                            : IndexRecord::Kind::kObject,
                     .escaped = escaped,
                     .level = meta.level,
                     .root_hash = meta.hashes.root,
                     .info = meta.info,
                     .reference = meta.reference};
  // There is no file to ask for what is not in the record of an object in slices.
  if (meta.reference && is_sliced(*meta.reference)) return record;
  const std::size_t reference = meta.reference ? meta.reference->key.size() : 0;
  while (encode_index_record(record).size() > kRecordBytesMax + reference &&
         drop_one(record.info)) {
    record.complete = false;
  }
  return record;
}

IndexRecord tombstone_of(Version version) {
  IndexRecord record{.kind = IndexRecord::Kind::kTombstone};
  record.info.meta_version = version;
  return record;
}

bool is_tombstone(std::string_view encoded_record) {
  return !encoded_record.empty() &&
         encoded_record[0] == static_cast<char>(IndexRecord::Kind::kTombstone);
}

BucketCounters index_counts_of(std::string_view encoded_record) {
  BucketCounters counts;
  if (encoded_record.size() < 9 || is_tombstone(encoded_record)) return counts;
  counts.objects = 1;
  std::memcpy(&counts.bytes, encoded_record.data() + 1, sizeof counts.bytes);
  return counts;
}

}  // namespace aisfs::store
