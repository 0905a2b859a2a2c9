// SPDX-License-Identifier: MIT
#include "common/client/merge.h"

#include <algorithm>

namespace aisfs {
namespace {

/// The last name up to which the page is complete; nullopt: all of them.
std::optional<std::string> horizon_of(const ListPage& page) {
  if (!page.more) return std::nullopt;
  std::string horizon = page.next;
  if (!page.entries.empty()) {
    const ListEntry& last = page.entries.back();
    horizon = std::max(horizon, last.is_prefix ? after_prefix(last.key) : last.key);
  }
  return horizon;
}

std::optional<std::string> common_horizon(const std::vector<ListPage>& pages) {
  std::optional<std::string> least;
  for (const ListPage& page : pages) {
    auto horizon = horizon_of(page);
    if (horizon && (!least || *horizon < *least)) least = std::move(horizon);
  }
  return least;
}

/// A common prefix, or an object on its way from one target to another: the newer state counts.
bool merge_same(ListEntry& into, ListEntry& entry) {
  if (into.key != entry.key || into.is_prefix != entry.is_prefix) return false;
  if (entry.info.meta_version > into.info.meta_version) into = std::move(entry);
  return true;
}

}  // namespace

std::string after_prefix(std::string_view prefix) {
  std::string text(prefix);
  text.resize(std::max(text.size(), kKeyBytesMax) + 1, '\xff');
  return text;
}

ListPage merge_pages(std::vector<ListPage> pages, std::uint32_t limit) {
  if (pages.size() == 1 && pages[0].entries.size() <= limit) return std::move(pages[0]);
  const auto horizon = common_horizon(pages);
  std::vector<std::size_t> at(pages.size(), 0);
  ListPage merged;
  merged.leased =
      std::all_of(pages.begin(), pages.end(), [](const ListPage& p) { return p.leased; });
  for (;;) {
    ListEntry* least = nullptr;
    std::size_t from = 0;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (at[i] == pages[i].entries.size()) continue;
      ListEntry& entry = pages[i].entries[at[i]];
      if (least == nullptr || entry.key < least->key) {
        least = &entry;
        from = i;
      }
    }
    if (least == nullptr || (horizon && least->key > *horizon)) break;
    ++at[from];
    if (!merged.entries.empty() && merge_same(merged.entries.back(), *least)) continue;
    if (merged.entries.size() == limit) {
      const ListEntry& last = merged.entries.back();
      merged.next = last.is_prefix ? after_prefix(last.key) : last.key;
      merged.more = true;
      return merged;
    }
    merged.entries.push_back(std::move(*least));
  }
  merged.more = horizon.has_value();
  if (horizon) merged.next = *horizon;
  return merged;
}

std::uint32_t share_of(std::uint32_t wanted, std::size_t parts) {
  if (parts <= 1) return wanted;
  const auto share = static_cast<std::uint32_t>(wanted / parts);
  return std::min(wanted, share + share / 8 + 16);  // four standard deviations at 1,000
}

void append(ListPage& whole, ListPage next) {
  whole.leased = next.leased && (whole.entries.empty() || whole.leased);
  std::move(next.entries.begin(), next.entries.end(), std::back_inserter(whole.entries));
  whole.more = next.more;
  whole.next = std::move(next.next);
}

LookupReply merge_lookups(std::vector<LookupReply> replies) {
  const auto rank = [](const LookupReply& r) {
    return r.kind != LookupReply::Kind::kDirectory ? static_cast<int>(r.kind)
                                                   : (r.explicit_dir ? 3 : 2);
  };
  LookupReply best;
  for (LookupReply& reply : replies) {
    if (rank(reply) > rank(best)) best = std::move(reply);
  }
  return best;
}

Capacity merge_capacities(const std::vector<Capacity>& shares) {
  Capacity sum;
  for (const Capacity& share : shares) {
    sum.total_bytes += share.total_bytes;
    sum.available_bytes += share.available_bytes;
    sum.used_bytes += share.used_bytes;
    sum.objects += share.objects;
  }
  return sum;
}

UploadList merge_uploads(std::vector<UploadList> lists, std::uint32_t limit) {
  UploadList merged;
  for (UploadList& list : lists) {
    merged.more = merged.more || list.more;
    std::move(list.uploads.begin(), list.uploads.end(), std::back_inserter(merged.uploads));
  }
  const auto order = [](const UploadInfo& a, const UploadInfo& b) {
    return std::tie(a.key, a.id) < std::tie(b.key, b.id);
  };
  std::sort(merged.uploads.begin(), merged.uploads.end(), order);
  // A list that was cut is complete only up to its own last upload; those of the others behind it
  // come again with the next page, so cutting at the limit is all that is needed when every list
  // has at most `limit`.
  if (merged.uploads.size() > limit) {
    merged.uploads.resize(limit);
    merged.more = true;
  }
  return merged;
}

}  // namespace aisfs
