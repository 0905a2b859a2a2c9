// SPDX-License-Identifier: MIT
// The names of what clients, mounts and nodes say to each other beside AIStore's API: methods
// `POST /v1/x/<method>` and extra headers (man/aisfs-api.7). The bodies are the envelopes of
// common/client/messages.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace aisfs::wire {

/// Every request that is not bulk bytes. An id names a method in metrics and traces.
/// Ids are never reused: objects 1-, names 40-, uploads 60-, buckets and users 80-, nodes 100-; a
/// group grows into its gap, and a method that goes leaves its number unused.
#define AISFS_DATA_METHODS(X) \
  X(head, 1)                  \
  X(set_attrs, 2)             \
  X(remove, 3)                \
  X(rename, 4)                \
  X(copy, 5)                  \
  X(list, 6)                  \
  X(capacity, 7)              \
  X(sync, 8)                  \
  X(lookup, 40)               \
  X(make_dir, 41)             \
  X(remove_dir, 42)           \
  X(rename_dir, 43)           \
  X(create_upload, 60)        \
  X(complete_upload, 61)      \
  X(abort_upload, 62)         \
  X(list_parts, 63)           \
  X(list_uploads, 64)         \
  X(list_buckets, 80)         \
  X(find_bucket, 81)          \
  X(create_bucket, 82)        \
  X(destroy_bucket, 83)       \
  X(set_bucket_props, 84)     \
  X(create_user, 90)          \
  X(list_users, 91)           \
  X(remove_user, 92)          \
  X(create_token, 93)         \
  X(change_node, 100)         \
  X(rebalance, 101)           \
  X(shut_down_node, 102)      \
  X(scrub, 103)               \
  X(storage, 110)             \
  X(change_mountpath, 111)

enum class DataMethod : std::uint16_t {
#define X(name, id) name = id,
  AISFS_DATA_METHODS(X)
#undef X
};

std::string_view name_of(DataMethod method);
/// nullopt for a name that is none of the table.
std::optional<DataMethod> parse_data_method(std::string_view name);

inline constexpr std::string_view kRpcPath = "/v1/x/";
inline constexpr std::string_view kObjectsPath = "/v1/objects/";
inline constexpr std::string_view kEnvelopeType = "application/x-aisfs";

// Base64 envelopes on bulk requests and responses.
inline constexpr std::string_view kPutHeader = "Ais-Put";      // PutHeader, on PUT
inline constexpr std::string_view kPartHeader = "Ais-Part";    // PartHeader, on PUT of a part
inline constexpr std::string_view kPatchHeader = "Ais-Patch";  // PatchHeader, on PUT of extents
inline constexpr std::string_view kGetHeader = "Ais-Get";      // GetHeader, on GET
inline constexpr std::string_view kInfoHeader = "Ais-Info";    // InfoReply, on responses
inline constexpr std::string_view kPartReplyHeader = "Ais-Part-Info";  // PartReply

/// "<offset> <length>" of the body of a GET that had Ais-Get.
inline constexpr std::string_view kRangeHeader = "Ais-Range";
/// "1" when Ais-Info lacks its long fields: ask `head` for the version it names.
inline constexpr std::string_view kInfoCutHeader = "Ais-Info-Cut";
/// "<errc name> <percent-encoded text>" beside every error.
inline constexpr std::string_view kErrorHeader = "Ais-Error";
/// Decimal epoch of the sender's map; on a stale_map answer the one to fetch.
inline constexpr std::string_view kEpochHeader = "Ais-Epoch";
/// "node": answer from this node's disks or refuse with stale_map, never forward. The marker that
/// keeps requests from going round in circles.
inline constexpr std::string_view kScopeHeader = "Ais-Scope";
inline constexpr std::string_view kScopeNode = "node";
/// Of an answer of the node that was asked for (Ais-Scope): ObjectApi::last_version().
inline constexpr std::string_view kClockHeader = "Ais-Clock";
/// A version: Context::unless_newer.
inline constexpr std::string_view kUnlessNewerHeader = "Ais-Unless-Newer";
/// Id of the request for the logs of every node that works on it.
inline constexpr std::string_view kTraceHeader = "Ais-Trace";

/// An envelope header longer than this is refused: servers bound their headers at 32 KiB.
inline constexpr std::size_t kEnvelopeHeaderMax = 20 * 1024;

}  // namespace aisfs::wire
