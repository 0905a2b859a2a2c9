// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/model/bucket.h"

namespace aisfs::store {

/// The updates of an index that are not committed yet: what a reader sees before the table. Not
/// thread-safe.
class IndexOverlay {
 public:
  using Name = std::pair<std::uint64_t, std::string>;
  using NameView = std::pair<std::uint64_t, std::string_view>;
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first
                                : std::string_view(a.second) < std::string_view(b.second);
    }
  };
  struct Entry {
    std::shared_ptr<const std::string> record;  // encoded; null: forgotten
    std::uint64_t sequence = 0;                 // of the update
  };
  using Map = std::map<Name, Entry, Less>;

  void set(BucketId bucket, std::string_view key, Entry entry) {
    const auto it = map_.lower_bound(NameView(bucket.value, key));
    if (it != map_.end() && it->first.first == bucket.value && it->first.second == key) {
      it->second = std::move(entry);
    } else {
      map_.emplace_hint(it, Name(bucket.value, key), std::move(entry));
    }
  }
  /// After the update `sequence` was committed; a younger one of the same name stays.
  void committed(BucketId bucket, std::string_view key, std::uint64_t sequence) {
    const auto it = map_.find(NameView(bucket.value, key));
    if (it != map_.end() && it->second.sequence == sequence) map_.erase(it);
  }

  const Entry* find(BucketId bucket, std::string_view key) const {
    const auto it = map_.find(NameView(bucket.value, key));
    return it == map_.end() ? nullptr : &it->second;
  }
  Map::const_iterator from(BucketId bucket, std::string_view key) const {
    return map_.lower_bound(NameView(bucket.value, key));
  }
  Map::const_iterator end() const { return map_.end(); }
  std::size_t size() const { return map_.size(); }

 private:
  Map map_;
};

}  // namespace aisfs::store
