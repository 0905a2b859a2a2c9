// SPDX-License-Identifier: MIT
#include "tests/kit/history/listing.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/kit/history/history_file.h"

namespace aisfs::tests::history {
namespace {

using Mutations = std::map<std::string_view, KeyOperations>;

struct Listing {
  KeyOperations pages;  // those that came
  std::int64_t began = kNever;
  std::int64_t ended = 0;
  bool complete = false;

  std::string_view prefix() const { return pages.front()->key; }
  std::string_view after() const { return pages.front()->after; }
  bool covers(std::string_view key) const {
    return key.starts_with(prefix()) && (after().empty() || key > after());
  }
};

enum class Presence : std::uint8_t { kPresent, kAbsent, kEither };

std::map<std::uint64_t, Listing> listings_of(std::span<const Operation> operations) {
  KeyOperations pages;
  for (const Operation& op : operations) {
    if (op.kind == OpKind::kList && op.outcome == Outcome::kOk) pages.push_back(&op);
  }
  sort_by(&Operation::invoked, pages);
  std::map<std::uint64_t, Listing> listings;
  for (const Operation* page : pages) {
    Listing& listing = listings[page->listing];
    listing.pages.push_back(page);
    listing.began = std::min(listing.began, page->invoked);
    listing.ended = std::max(listing.ended, page->returned);
    listing.complete |= page->last;
  }
  return listings;
}

/// What may have changed each key.
Mutations mutations_of(std::span<const Operation> operations) {
  Mutations mutations = by_key(operations);
  for (auto& [key, ops] : mutations) {
    std::erase_if(ops, [](const Operation* op) {
      return !is_mutation(op->kind) ||
             (op->outcome != Outcome::kOk && op->outcome != Outcome::kUnknown);
    });
  }
  return mutations;
}

/// Those that may be in effect at some moment from `began` to `ended`: all that began by then, but
/// for those that an acknowledged one followed, from after they returned to before `began`.
KeyOperations in_effect(const KeyOperations& mutations, std::int64_t began, std::int64_t ended) {
  std::int64_t replaced_before = std::numeric_limits<std::int64_t>::min();
  for (const Operation* op : mutations) {
    if (op->returned < began) replaced_before = std::max(replaced_before, op->invoked);
  }
  KeyOperations found;
  for (const Operation* op : mutations) {
    if (op->invoked <= ended && op->returned >= replaced_before) found.push_back(op);
  }
  return found;
}

Presence presence(const KeyOperations& mutations, const Listing& listing) {
  const KeyOperations may = in_effect(mutations, listing.began, listing.ended);
  const auto removes = [](const Operation* op) { return op->kind == OpKind::kDelete; };
  const auto before = [&](const Operation* op) { return op->returned < listing.began; };
  if (std::ranges::all_of(may, removes)) return Presence::kAbsent;
  const bool written_before = std::ranges::any_of(may, before);
  return written_before && std::ranges::none_of(may, removes) ? Presence::kPresent
                                                              : Presence::kEither;
}

/// Checks one listing; finds its violations in the order of the keys.
class ListingCheck {
 public:
  ListingCheck(std::uint64_t id, const Listing& listing, const Mutations& mutations)
      : id_(id), listing_(listing), mutations_(mutations) {
    for (const Operation* page : listing.pages) {
      for (const std::string& entry : page->entries) shown_[entry].push_back(page);
    }
  }

  std::vector<Violation> run() {
    for (const auto& [key, pages] : shown_) check_shown(key, pages);
    for (const auto& [key, mutations] : mutations_) {
      const bool due = listing_.complete && listing_.covers(key) && !shown_.contains(key);
      if (due && presence(mutations, listing_) == Presence::kPresent) {
        found("is present throughout and not listed", key, {});
      }
    }
    return std::move(violations_);
  }

 private:
  void check_shown(std::string_view key, const KeyOperations& pages) {
    if (pages.size() > 1) found("is listed more than once", key, pages);
    if (!listing_.covers(key)) found("is listed and was not asked for", key, pages);
    const auto known = mutations_.find(key);
    if (known == mutations_.end() || presence(known->second, listing_) == Presence::kAbsent) {
      found("is absent throughout and listed", key, pages);
    }
  }

  void found(std::string what, std::string_view key, const KeyOperations& pages) {
    std::string excerpt = "  the listing runs from " + std::to_string(listing_.began) + " to " +
                          std::to_string(listing_.ended) + '\n';
    for (const Operation* page : pages) excerpt += "  " + without_others(*page, key) + '\n';
    if (const auto known = mutations_.find(key); known != mutations_.end()) {
      for (const Operation* op : in_effect(known->second, listing_.began, listing_.ended)) {
        excerpt += "  " + to_line(*op) + '\n';
      }
    }
    violations_.push_back({"listing " + std::to_string(id_) + ", key " + std::string(key),
                           std::move(what), std::move(excerpt)});
  }

  /// The page's line with the one entry that matters.
  static std::string without_others(Operation page, std::string_view key) {
    std::erase_if(page.entries, [&](const std::string& entry) { return entry != key; });
    return to_line(page);
  }

  const std::uint64_t id_;
  const Listing& listing_;
  const Mutations& mutations_;
  std::map<std::string_view, KeyOperations> shown_;  // the pages that show a key, one an entry
  std::vector<Violation> violations_;
};

}  // namespace

Report check_listing(std::span<const Operation> operations) {
  Report report{.check = "listing"};
  const Mutations mutations = mutations_of(operations);
  for (const auto& [id, listing] : listings_of(operations)) {
    ++report.checked;
    for (Violation& violation : ListingCheck(id, listing, mutations).run()) {
      report.violations.push_back(std::move(violation));
    }
  }
  return report;
}

}  // namespace aisfs::tests::history
