// SPDX-License-Identifier: MIT
// Listings: the table and what is queued, merged in order.
#include "common/model/version_key.h"
#include "node/store/index_impl.h"

namespace aisfs::store {
namespace {

// Queued updates that are copied at once: the copy is made under the lock of all writers.
constexpr std::size_t kQueuedAtOnce = 1024;

struct Queued {
  std::string key;
  std::shared_ptr<const std::string> record;  // null: forgotten
};

/// The first text that is greater than everything with this prefix; nullopt when there is none.
std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::string behind_key(std::string key) { return std::move(key) + '\0'; }

/// The common prefix that `key` is rolled up to; nullopt when it stands for itself.
std::optional<std::string> rolled_up(const std::string& key, const ScanOptions& options) {
  if (options.delimiter.empty() || options.tombstones) return std::nullopt;
  const std::string_view name = plain_key(key);
  if (options.prefix.size() > name.size()) return std::nullopt;
  const std::size_t at = name.find(options.delimiter, options.prefix.size());
  if (at == name.npos) return std::nullopt;
  return key.substr(0, at + options.delimiter.size());
}

/// Where the scan begins; nullopt when nothing can follow.
std::optional<std::string> first_key(const ScanOptions& options) {
  if (options.after.empty()) return options.prefix;
  if (options.after.starts_with(options.prefix) &&
      rolled_up(options.after, options) == options.after) {
    return behind_prefix(options.after);
  }
  return std::max(options.prefix, behind_key(options.after));
}

/// One listing under way: `at` is the first key not looked at yet.
class Scan {
 public:
  Scan(const ScanOptions& options, std::string at) : options_(options), at_(std::move(at)) {}

  const std::string& at() const { return at_; }
  bool done() const { return done_; }
  ScanPage page() && { return std::move(page_); }

  /// Merges `queued` (all that is queued from at(), or its beginning if `cut`) with the table.
  Status merge(NameCursor& table, std::vector<Queued> queued, bool cut) {
    queued_ = std::move(queued);
    next_queued_ = 0;
    CHECK_OK(seek(table));
    while (!done_) {
      const bool has_queued = next_queued_ < queued_.size();
      if (!has_queued && cut) break;
      if (!has_queued && !on_table_) {
        done_ = true;
        break;
      }
      CHECK_OK(step(table, has_queued));
    }
    return {};
  }

 private:
  Status seek(NameCursor& table) {
    TRY(on_table_, table.seek(at_));
    on_table_ = on_table_ && table.key().starts_with(options_.prefix);
    while (next_queued_ < queued_.size() && queued_[next_queued_].key < at_) ++next_queued_;
    return {};
  }

  Status step(NameCursor& table, bool has_queued) {
    const int order = !has_queued ? 1 : !on_table_ ? -1 : queued_[next_queued_].key.compare(table.key());
    if (order > 0) {
      CHECK_OK(visit(table, table.key(), table.value()));
      return {};
    }
    const Queued queued = queued_[next_queued_];
    const bool shown =
        queued.record && is_tombstone(*queued.record) == options_.tombstones;
    if (!shown) {
      at_ = behind_key(queued.key);
      ++next_queued_;
      return order == 0 ? advance(table) : Status{};
    }
    return visit(table, queued.key, *queued.record);
  }

  Status advance(NameCursor& table) {
    TRY(on_table_, table.next());
    on_table_ = on_table_ && table.key().starts_with(options_.prefix);
    return {};
  }

  /// Takes a key that is there, and goes behind it or behind its common prefix.
  Status visit(NameCursor& table, const std::string& key, std::string_view record) {
    if (!options_.versions && !options_.tombstones && is_version_key(key)) {
      at_ = after_versions(plain_key(key));
      return seek(table);
    }
    if (options_.only && !options_.only(key, record)) return skip(table, key);
    if (page_.entries.size() == options_.limit) {
      page_.more = true;
      page_.next = page_.entries.back().key;
      done_ = true;
      return {};
    }
    if (auto prefix = rolled_up(key, options_)) {
      auto behind = behind_prefix(*prefix);
      page_.entries.push_back({.key = std::move(*prefix), .is_prefix = true});
      if (!behind) {
        done_ = true;
        return {};
      }
      at_ = std::move(*behind);
      return seek(table);
    }
    auto decoded = options_.summary ? decode_index_summary(record) : decode_index_record(record);
    if (!decoded) return std::move(decoded).error();
    page_.entries.push_back({.key = key, .record = *std::move(decoded)});
    return skip(table, page_.entries.back().key);
  }

  /// Goes behind the key. (It may be the cursor's own, which moves.)
  Status skip(NameCursor& table, const std::string& key) {
    const bool was_table = on_table_ && table.key() == key;
    at_.assign(key).push_back('\0');
    if (next_queued_ < queued_.size() && queued_[next_queued_].key < at_) ++next_queued_;
    return was_table ? advance(table) : Status{};
  }

  const ScanOptions& options_;
  std::string at_;
  std::vector<Queued> queued_;
  std::size_t next_queued_ = 0;
  bool on_table_ = false;
  bool done_ = false;
  ScanPage page_;
};

}  // namespace

Result<ScanPage> Index::Impl::scan(BucketId bucket, const ScanOptions& options) const {
  AISFS_ASSERT(options.limit > 0);
  auto begin = first_key(options);
  if (!begin) return ScanPage{};
  Scan scan(options, std::move(*begin));
  while (!scan.done()) {
    std::vector<Queued> queued;
    bool cut = false;
    {
      const std::shared_lock lock(overlay_mutex_);
      for (auto it = overlay_.from(bucket, scan.at());
           it != overlay_.end() && it->first.first == bucket.value &&
           std::string_view(it->first.second).starts_with(options.prefix);
           ++it) {
        if (queued.size() == kQueuedAtOnce) {
          cut = true;
          break;
        }
        queued.push_back({it->first.second, it->second.record});
      }
    }
    // After the copy: what has left the queue meanwhile is in this snapshot.
    TRY(const auto txn, env_->read());
    NameCursor table(txn, options.tombstones ? tombstones_ : names_, bucket);
    Status merged = scan.merge(table, std::move(queued), cut);
    CHECK_OK(env_->health());
    CHECK_OK(std::move(merged));
  }
  return std::move(scan).page();
}

}  // namespace aisfs::store
