// SPDX-License-Identifier: MIT
// `POST /v1/x/<method>` that only data listeners answer: the calls of target::Peers.
#pragma once
#include "common/client/messages.h"
#include "node/target/peers.h"

namespace aisfs::cluster {

inline constexpr std::string_view kPrepareRename = "prepare_rename";  // target::RenamePrepare
inline constexpr std::string_view kFinishRename = "finish_rename";
inline constexpr std::string_view kRenameState = "rename_state";
inline constexpr std::string_view kCloseDir = "close_dir";        // DirRequest
inline constexpr std::string_view kCheckDir = "check_dir";        // DirRequest
inline constexpr std::string_view kOpenContent = "open_content";  // answers with bulk bytes
inline constexpr std::string_view kDropContent = "drop_content";
inline constexpr std::string_view kNameStates = "name_states";      // NameStatesRequest
inline constexpr std::string_view kFindName = "find_name";          // NameStatesRequest
inline constexpr std::string_view kFetchCopy = "fetch_copy";        // FetchCopyRequest
inline constexpr std::string_view kForgetCopies = "forget_copies";  // ForgetRequest
inline constexpr std::string_view kOfferNames = "offer_names";      // OfferRequest
inline constexpr std::string_view kCompareNames = "compare_names";  // CompareRequest
inline constexpr std::string_view kLacksCopies = "lacks_copies";    // LacksCopiesRequest
inline constexpr std::string_view kTakeCopy = "take_copy";  // TakeCopyRequest in a header, and bytes
inline constexpr std::string_view kStreamCopy =
    "stream_copy";  // StreamCopyRequest in a header, and bytes
inline constexpr std::string_view kTakeAttributes = "take_attributes";
inline constexpr std::string_view kForgetTombstones = "forget_tombstones";  // CompareRequest
inline constexpr std::string_view kHasCopiesForMe = "has_copies_for_me";    // wire::Nothing
inline constexpr std::string_view kSyncCopy = "sync_copy";  // NameStatesRequest
/// Of kTakeCopy: the base64 envelope of its request.
inline constexpr std::string_view kTakeCopyHeader = "Ais-Take-Copy";
/// Of kStreamCopy.
inline constexpr std::string_view kStreamCopyHeader = "Ais-Stream-Copy";

struct PrepareRenameReply {
  Version version;
  AISFS_MESSAGE_FIELDS(version)
};

struct FinishRenameRequest {
  std::string op_id;
  target::RenameState state = target::RenameState::kUnknown;
  AISFS_MESSAGE_FIELDS(op_id, state)
};

struct RenameStateRequest {
  std::string op_id;
  AISFS_MESSAGE_FIELDS(op_id)
};

struct RenameStateReply {
  target::RenameState state = target::RenameState::kUnknown;
  AISFS_MESSAGE_FIELDS(state)
};

struct DirRequest {
  BucketName bucket;
  std::string marker;
  AISFS_MESSAGE_FIELDS(bucket, marker)
};

/// open_content; drop_content ignores the range.
struct ContentRequest {
  BucketName bucket;
  store::Reference content;
  ByteRange range;
  AISFS_MESSAGE_FIELDS(bucket, content, range)
};

struct NameStatesRequest {
  BucketName bucket;
  std::string key;
  AISFS_MESSAGE_FIELDS(bucket, key)
};

struct NameStatesReply {
  std::vector<store::NameState> states;
  AISFS_MESSAGE_FIELDS(states)
};

/// `meta`: "" when no copy comes along, else as encode_copy_meta() has it.
struct FindNameReply {
  std::vector<store::NameState> states;
  std::string meta, bytes;
  AISFS_MESSAGE_FIELDS(states, meta, bytes)
};

/// Answered with the object as copy_stream.h has it.
struct FetchCopyRequest {
  BucketName bucket;
  store::NameState state;
  AISFS_MESSAGE_FIELDS(bucket, state)
};

struct OfferRequest {
  BucketName bucket;
  std::vector<store::NameState> states;
  target::Pace pace = target::Pace::kCourteous;
  AISFS_MESSAGE_FIELDS(bucket, states, pace)
};

struct ForgetRequest {
  BucketName bucket;
  std::vector<store::NameState> states;
  Durability level = Durability::kFull;
  AISFS_MESSAGE_FIELDS(bucket, states, level)
};

struct CompareRequest {
  BucketName bucket;
  std::string from;
  std::vector<store::NameState> states;
  AISFS_MESSAGE_FIELDS(bucket, from, states)
};

/// `from` owns the names.
struct LacksCopiesRequest {
  BucketName bucket;
  std::string from;
  std::vector<store::NameState> states;
  bool whole = false;
  AISFS_MESSAGE_FIELDS(bucket, from, states, whole)
};

struct TakeCopyRequest {
  BucketName bucket;
  std::string from;
  AISFS_MESSAGE_FIELDS(bucket, from)
};

/// The body is as target::Peers::stream_copy has it.
struct StreamCopyRequest {
  std::string from;
  BucketName bucket;
  std::string key;
  std::uint64_t bytes = 0;
  Durability level = Durability::kFull;
  AISFS_MESSAGE_FIELDS(from, bucket, key, bytes, level)
};

struct TakeAttributesRequest {
  BucketName bucket;
  std::string from, key;
  ObjectInfo info;
  AISFS_MESSAGE_FIELDS(bucket, from, key, info)
};

/// One byte for each name of the request, 1 or 0: whether its copy has been taken, is older, or
/// is lacking.
struct AnswersReply {
  std::vector<std::uint8_t> answers;
  AISFS_MESSAGE_FIELDS(answers)
};

}  // namespace aisfs::cluster
