// SPDX-License-Identifier: MIT
#include "aisfs/cli/listing.h"

namespace aisfs::cli {

// The server's largest page: fewer round trips, a few MiB of memory.
constexpr std::uint32_t kPageEntries = 10'000;

Task<Status> list_all(Session& session, BucketName bucket, ListOptions options, OnPage on_page) {
  while (true) {
    CO_TRY(ListPage page, co_await session.objects().list(session.context(), bucket, options));
    if (!on_page(page) || !page.more) co_return Status{};
    options.after = std::move(page.next);
  }
}

Task<Result<std::vector<ListEntry>>> entries_below(Session& session, Location location) {
  std::vector<ListEntry> entries;
  ListOptions options;
  options.prefix = location.key;
  options.limit = kPageEntries;
  options.attributes = true;
  auto keep = [&entries](const ListPage& page) {
    entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    return true;
  };
  CO_CHECK_OK(co_await list_all(session, location.bucket, std::move(options), keep));
  co_return entries;
}

std::string folder_prefix(std::string key) {
  if (!key.empty() && !key.ends_with('/')) key += '/';
  return key;
}

}  // namespace aisfs::cli
