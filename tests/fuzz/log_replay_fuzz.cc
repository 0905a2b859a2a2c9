// SPDX-License-Identifier: MIT
// A segment of %log as a crash, or somebody, may leave it. With bit 0 of the first byte the bytes
// are payloads (size u8 each) of good records, so that the records' own envelopes are reached.
#include <cstdint>
#include <string>

#include "common/base/assert.h"
#include "node/store/log.h"
#include "node/store/log_records.h"

namespace {

using namespace aisfs;
using namespace aisfs::store;

Status visit(const LogRecord& record) {
  AISFS_ASSERT(record.end == record.begin + kLogRecordHeaderBytes + record.payload.size());
  std::string sealed(record.payload);
  if (sealed.size() >= wire::kEnvelopeHeaderBytes) wire::detail::seal_envelope(sealed, 0, 1, 1);
  (void)wire::decode<TombstoneRecord>(sealed);
  (void)wire::decode<ReferenceRecord>(sealed);
  (void)wire::decode<PublishIntentRecord>(sealed);
  (void)wire::decode<RenameIntentRecord>(sealed);
  (void)wire::decode<BucketDestroyedRecord>(sealed);
  (void)wire::decode<DirRenameRecord>(sealed);
  (void)wire::decode<StagedPutRecord>(sealed);
  (void)wire::decode<StagedCancelledRecord>(sealed);
  return {};
}

std::string records_of(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(static_cast<unsigned char>(bytes[0]), bytes.size() - 1);
    encode_record_to(out, out.size(), static_cast<LogType>(size % 10), bytes.substr(1, size));
    bytes.remove_prefix(1 + size);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  (void)decode_segment_header(bytes);
  const std::string records = (data[0] & 1) != 0 ? records_of(bytes) : std::string(bytes);
  const auto end = walk_records(records, 0, visit);
  AISFS_ASSERT(end.ok() && *end <= records.size());
  AISFS_ASSERT((data[0] & 1) == 0 || *end == records.size());
  return 0;
}
