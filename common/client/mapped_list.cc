// SPDX-License-Identifier: MIT
#include "common/client/mapped_list.h"

#include <algorithm>

#include "common/client/merge.h"
#include "common/placement/prefix_map.h"

namespace aisfs {
namespace {

using placement::Interval;

/// A place in the order of names: `from` is the first that is wanted, all of them are > `after`.
struct Cursor {
  std::string from, after;

  void go_behind(std::string name) {
    from = name + '\0';
    after = std::move(name);
  }
};

/// The options for one region of the interval; names that it gives begin with the region.
ListOptions physical(const Interval& interval,
                     const std::string& region,
                     const ListOptions& wanted,
                     const std::string& after) {
  const std::string& logical = interval.prefix;
  ListOptions options = wanted;
  const bool inside = wanted.prefix.starts_with(logical);
  options.prefix = inside ? region + wanted.prefix.substr(logical.size()) : region;
  const bool behind = !after.empty() && after.starts_with(logical);
  options.after = behind ? region + after.substr(logical.size()) : "";
  return options;
}

/// The page with the names that users know.
ListPage logical(ListPage page, const std::string& region, const std::string& prefix) {
  for (ListEntry& entry : page.entries) entry.key.replace(0, region.size(), prefix);
  if (page.more) page.next.replace(0, region.size(), prefix);
  return page;
}

/// What is left of one name in two places is one name: the first is where readers look first.
void drop_doubles(ListPage& page) {
  const auto same = [](const ListEntry& a, const ListEntry& b) { return a.key == b.key; };
  page.entries.erase(std::unique(page.entries.begin(), page.entries.end(), same),
                     page.entries.end());
}

/// One after the other, because what is moved goes from the earlier to the later ones.
Task<Result<ListPage>> list_regions(Interval interval,
                                    ListOptions options,
                                    std::string after,
                                    const PhysicalList& list) {
  std::vector<ListPage> pages;
  for (const std::string& region : interval.regions) {
    ListOptions here = physical(interval, region, options, after);
    CO_TRY(ListPage page, co_await list(std::move(here)));
    pages.push_back(logical(std::move(page), region, interval.prefix));
  }
  ListPage merged = merge_pages(std::move(pages), options.limit);
  drop_doubles(merged);
  co_return merged;
}

/// An interval of which a whole prefix, or several, are rolled up: its first name is enough.
Task<Result<ListPage>> list_first(Interval interval,
                                  ListOptions options,
                                  std::string after,
                                  const PhysicalList& list) {
  ListOptions one = options;
  one.limit = 1;
  one.delimiter.clear();
  CO_TRY(ListPage page,
         co_await list_regions(std::move(interval), std::move(one), std::move(after), list));
  if (page.entries.empty()) co_return page;
  page.entries.resize(1);
  ListEntry& entry = page.entries.front();
  const auto cut = entry.key.find(options.delimiter, options.prefix.size());
  if (cut != std::string::npos) {
    entry = ListEntry{
        .key = entry.key.substr(0, cut + options.delimiter.size()), .is_prefix = true, .info = {}};
  }
  page.more = true;
  page.next = entry.is_prefix ? after_prefix(entry.key) : entry.key;
  co_return page;
}

/// Whether a common prefix, which was found where names lie, has a name that is seen below it.
Task<Result<bool>> is_seen(const ClusterMap& map,
                           BucketId bucket,
                           std::string prefix,
                           const PhysicalList& list) {
  if (placement::is_plain(map, bucket, prefix)) co_return true;
  ListOptions one{.prefix = std::move(prefix), .limit = 1};
  CO_TRY(const ListPage page, co_await list_mapped(map, bucket, std::move(one), list));
  co_return !page.entries.empty();
}

}  // namespace

Task<Result<ListPage>> list_mapped(const ClusterMap& map,
                                   BucketId bucket,
                                   ListOptions options,
                                   const PhysicalList& list) {
  ListPage whole;
  Cursor at{options.prefix, ""};
  if (options.after >= options.prefix) at.go_behind(options.after);
  while (whole.entries.size() < options.limit && at.from.starts_with(options.prefix)) {
    const Interval interval = placement::interval_at(map, bucket, at.from);
    ListOptions wanted = options;
    wanted.limit = options.limit - static_cast<std::uint32_t>(whole.entries.size());
    const bool rolled = !options.delimiter.empty() && !options.prefix.starts_with(interval.prefix);
    ListPage page;
    if (!interval.regions.empty()) {
      auto task = rolled ? list_first(interval, std::move(wanted), at.after, list)
                         : list_regions(interval, std::move(wanted), at.after, list);
      CO_TRY(page, co_await std::move(task));
    }
    bool ended = !page.more;
    if (page.more) at.go_behind(page.next);
    for (ListEntry& entry : page.entries) {
      ended = ended || (!interval.end.empty() && entry.key >= interval.end);
      if (ended && !interval.end.empty() && entry.key >= interval.end) break;
      if (entry.is_prefix) {
        CO_TRY(const bool seen, co_await is_seen(map, bucket, entry.key, list));
        if (!seen) continue;
      }
      whole.entries.push_back(std::move(entry));
    }
    if (!interval.end.empty() && at.from >= interval.end) ended = true;
    if (!ended) continue;
    if (interval.end.empty()) co_return whole;
    at = {interval.end, after_prefix(interval.prefix)};
    // A common prefix that reaches beyond the interval is done with.
    if (!whole.entries.empty() && whole.entries.back().is_prefix &&
        at.from.starts_with(whole.entries.back().key)) {
      at.go_behind(after_prefix(whole.entries.back().key));
    }
  }
  if (!at.from.starts_with(options.prefix) || whole.entries.empty()) co_return whole;
  whole.more = true;
  whole.next = whole.entries.back().is_prefix ? after_prefix(whole.entries.back().key)
                                              : whole.entries.back().key;
  co_return whole;
}

}  // namespace aisfs
