// SPDX-License-Identifier: MIT
// AIStore's list-objects: LsoMsg in, LsoRes out, in JSON or MessagePack.
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// What an LsoMsg asks for.
struct ListRequest {
  enum Flag : std::uint64_t {
    kNameOnly = 1 << 4,
    kNameSize = 1 << 5,
    kNoRecursion = 1 << 11,
    kNoDirs = 1 << 13,
  };
  std::string uuid, prefix, start_after, token, time_format;
  std::vector<std::string> props;  // empty: all that a listing has
  std::uint64_t flags = 0;
  std::uint32_t page_size = 0;

  bool has(Flag flag) const { return (flags & flag) != 0; }
  bool wants(std::string_view property) const;
};
ListRequest parse_list_request(const boost::json::value& message);

/// Answers the `list` of a bucket's objects.
Task<void> serve_list(Call& call, BucketName bucket, boost::json::value message);

/// Sums of a bucket, by listing it.
struct BucketSummary {
  std::uint64_t objects = 0, bytes = 0, min_size = 0, max_size = 0;
};
Task<Result<BucketSummary>> summarize(Call& call, BucketName bucket, std::string prefix);

}  // namespace aisfs::native
