// SPDX-License-Identifier: MIT
// The calls of target::SlicePeers, as peer_messages.h has the others.
#pragma once
#include "common/client/messages.h"
#include "node/store/slices.h"

namespace aisfs::cluster {

inline constexpr std::string_view kPutSlice =
    "put_slice";  // PutSliceRequest in a header, and bytes
inline constexpr std::string_view kSlicesAt = "slices_at";
inline constexpr std::string_view kOpenSlice = "open_slice";  // answers with bulk bytes
inline constexpr std::string_view kDropSlices = "drop_slices";
inline constexpr std::string_view kJudgeSlices = "judge_slices";
inline constexpr std::string_view kMissSlices = "miss_slices";
/// Of kPutSlice: the base64 envelope of its request.
inline constexpr std::string_view kPutSliceHeader = "Ais-Put-Slice";
/// Of the answer to kOpenSlice: what the slice says at its end, in base64.
inline constexpr std::string_view kSliceTailHeader = "Ais-Slice-Tail";
/// Instead: how many bytes in front of the body are that.
inline constexpr std::string_view kSliceTailPrefixHeader = "Ais-Slice-Tail-Prefix";

struct PutSliceRequest {
  BucketName bucket;
  store::Reference content;
  std::uint32_t index = 0;
  Durability level = Durability::kFull;
  AISFS_MESSAGE_FIELDS(bucket, content, index, level)
};

struct SlicesAtRequest {
  BucketName bucket;
  std::vector<store::Reference> contents;
  AISFS_MESSAGE_FIELDS(bucket, contents)
};

/// A bit for each slice, for each content of the request.
struct SlicesAtReply {
  std::vector<std::uint32_t> slices;
  AISFS_MESSAGE_FIELDS(slices)
};

/// open_slice; drop_slices ignores the range. A bit for each slice.
struct SlicesRequest {
  BucketName bucket;
  store::Reference content;
  std::uint32_t slices = 0;
  ByteRange range;
  AISFS_MESSAGE_FIELDS(bucket, content, slices, range)
};

/// Answered with AnswersReply: target::SliceVerdict.
struct JudgeSlicesRequest {
  BucketName bucket;
  std::string from;
  std::vector<store::HeldSlice> slices;
  AISFS_MESSAGE_FIELDS(bucket, from, slices)
};

struct MissSlicesRequest {
  BucketName bucket;
  std::vector<std::string> keys;
  AISFS_MESSAGE_FIELDS(bucket, keys)
};

/// A SliceTail on its way.
struct TailMessage {
  std::string tail;
  AISFS_MESSAGE_FIELDS(tail)
};

}  // namespace aisfs::cluster
