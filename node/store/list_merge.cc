// SPDX-License-Identifier: MIT
#include "node/store/list_merge.h"

#include <algorithm>

namespace aisfs::store {
namespace {

/// A scan that has more beyond its page knows nothing after its last entry: no page can say
/// anything about what lies behind the first such end.
const std::string* first_end(const std::vector<ScanPage>& pages) {
  const std::string* end = nullptr;
  for (const ScanPage& page : pages) {
    if (!page.more || page.entries.empty()) continue;
    const std::string& last = page.entries.back().key;
    if (end == nullptr || last < *end) end = &last;
  }
  return end;
}

}  // namespace

ListPage merge_pages(std::vector<ScanPage> pages, std::size_t limit) {
  ListPage out;
  std::size_t all = 0;
  for (const ScanPage& page : pages) all += page.entries.size();
  out.entries.reserve(std::min(all, limit));
  std::vector<std::size_t> at(pages.size(), 0);
  const std::string* end = first_end(pages);
  const std::string stop = end != nullptr ? *end : std::string();
  while (true) {
    ScanPage* next = nullptr;
    std::size_t index = 0;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (at[i] == pages[i].entries.size()) continue;
      if (next != nullptr && pages[i].entries[at[i]].key >= next->entries[at[index]].key) continue;
      next = &pages[i];
      index = i;
    }
    if (next == nullptr) break;
    ScanEntry& entry = next->entries[at[index]];
    const bool repeated = !out.entries.empty() && out.entries.back().key == entry.key;
    if ((end != nullptr && entry.key > stop) || (!repeated && out.entries.size() == limit)) {
      out.more = true;
      break;
    }
    ++at[index];
    if (repeated) continue;
    out.entries.push_back({std::move(entry.key), entry.is_prefix, std::move(entry.record.info)});
  }
  out.more = out.more || end != nullptr;
  if (out.more && !out.entries.empty()) out.next = out.entries.back().key;
  return out;
}

}  // namespace aisfs::store
