// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aisfs {

/// A map by string, in the order of its keys, whose copies share what they have in common: a copy
/// costs a pointer for 64 entries, a change of a copy one such part and the entry. It is used like
/// std::map, but references end with any change of the map.
///
/// Copies are values: none sees a change of another. Several threads may read one map, or change
/// maps of their own that share entries. What is not const takes what it touches for changed, so
/// read through a const map.
template <class V>
class SharedMap {
 public:
  // No mapped_type: cereal would take this for a map that it knows how to load.
  using value_type = std::pair<const std::string, V>;
  using size_type = std::size_t;

 private:
  static constexpr std::size_t kPartMax = 64;

  using Entry = std::shared_ptr<value_type>;
  using Part = std::vector<Entry>;  // never empty

  template <class Map, class Value>
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = SharedMap::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    Iterator() = default;
    Iterator(Map* map, std::size_t part, std::size_t at) : map_(map), part_(part), at_(at) {}
    operator Iterator<const SharedMap, const value_type>() const
      requires(!std::is_const_v<Map>)
    {
      return {map_, part_, at_};
    }

    Value& operator*() const { return map_->entry(part_, at_); }
    Value* operator->() const { return &**this; }
    Iterator& operator++() {
      if (++at_ == map_->parts_[part_]->size()) {
        ++part_;
        at_ = 0;
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const = default;

   private:
    friend class SharedMap;
    Map* map_ = nullptr;
    std::size_t part_ = 0, at_ = 0;
  };

 public:
  using iterator = Iterator<SharedMap, value_type>;
  using const_iterator = Iterator<const SharedMap, const value_type>;

  SharedMap() = default;
  SharedMap(std::initializer_list<value_type> entries) {
    for (const auto& [key, value] : entries) insert_or_assign(key, value);
  }
  SharedMap(const SharedMap&) = default;
  SharedMap& operator=(const SharedMap&) = default;
  SharedMap(SharedMap&& other) noexcept
      : parts_(std::move(other.parts_)), size_(std::exchange(other.size_, 0)) {}
  SharedMap& operator=(SharedMap&& other) noexcept {
    parts_ = std::move(other.parts_);
    other.parts_.clear();
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~SharedMap() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  const_iterator begin() const { return {this, 0, 0}; }
  const_iterator end() const { return {this, parts_.size(), 0}; }
  iterator begin() { return {this, 0, 0}; }
  iterator end() { return {this, parts_.size(), 0}; }

  const_iterator find(std::string_view key) const {
    const Place place = place_of(key);
    return place.found ? const_iterator(this, place.part, place.at) : end();
  }
  iterator find(std::string_view key) {
    const Place place = place_of(key);
    return place.found ? iterator(this, place.part, place.at) : end();
  }
  bool contains(std::string_view key) const { return place_of(key).found; }

  const V& at(std::string_view key) const {
    const auto it = find(key);
    if (it == end()) throw std::out_of_range("SharedMap::at");
    return it->second;
  }
  V& at(std::string_view key) {
    const auto it = find(key);
    if (it == end()) throw std::out_of_range("SharedMap::at");
    return it->second;
  }
  V& operator[](std::string_view key) { return place_for(key)->second; }

  void insert_or_assign(std::string key, V value) {
    const Place place = place_of(key);
    auto entry = std::make_shared<value_type>(std::move(key), std::move(value));
    if (place.found) {
      part(place.part)[place.at] = std::move(entry);
    } else {
      insert(place, std::move(entry));
    }
  }

  std::size_t erase(std::string_view key) {
    const Place place = place_of(key);
    if (!place.found) return 0;
    Part& from = part(place.part);
    const Entry held = std::move(from[place.at]);  // `key` may be its own
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(place.at));
    --size_;
    if (from.empty()) parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(place.part));
    return 1;
  }
  template <class Predicate>
  void erase_if(Predicate predicate) {
    SharedMap kept;
    for (const auto& part : parts_) {
      for (const Entry& entry : *part) {
        if (!predicate(std::as_const(*entry))) kept.insert(kept.behind_all(), entry);
      }
    }
    *this = std::move(kept);
  }
  void clear() { *this = SharedMap(); }

  bool operator==(const SharedMap& other) const {
    if (size_ != other.size_) return false;
    bool same = true;
    differences(*this, other, [&](const value_type*, const value_type*) { same = false; });
    return same;
  }

  /// Calls `differs` with both entries of each key whose values differ, in the order of the keys;
  /// with null for one that is not there. What both share is not looked at.
  template <class Differs>
  static void differences(const SharedMap& before, const SharedMap& after, Differs differs) {
    constexpr const value_type* kNone = nullptr;
    const_iterator a = before.begin(), b = after.begin();
    while (a != before.end() || b != after.end()) {
      if (a == before.end()) {
        differs(kNone, &*b++);
      } else if (b == after.end()) {
        differs(&*a++, kNone);
      } else if (a.at_ == 0 && b.at_ == 0 && before.parts_[a.part_] == after.parts_[b.part_]) {
        ++a.part_;
        ++b.part_;
      } else {
        const value_type &old = *a, &now = *b;
        const int order = &old == &now ? 0 : old.first.compare(now.first);
        if (order <= 0) ++a;
        if (order >= 0) ++b;
        if (order < 0) differs(&old, kNone);
        if (order > 0) differs(kNone, &now);
        if (order == 0 && &old != &now && !(old.second == now.second)) differs(&old, &now);
      }
    }
  }

  /// As std::map is serialized.
  template <class A>
  void save(A& ar) const {
    ar(static_cast<std::uint32_t>(size_));
    for (const auto& [key, value] : *this) ar(key, value);
  }
  template <class A>
  void load(A& ar) {
    clear();
    std::uint32_t count = 0;
    ar(count);
    for (; count > 0; --count) {
      auto entry = std::make_shared<value_type>();
      ar(const_cast<std::string&>(entry->first), entry->second);
      const Place place = place_to_insert(entry->first);
      if (!place.found) insert(place, std::move(entry));
    }
  }
  /// For what an archive reads or writes of each value apart.
  template <class A, class Visit>
  void each_value([[maybe_unused]] A& ar, Visit visit) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      for (std::size_t i = 0; i < parts_[p]->size(); ++i) {
        if constexpr (A::is_loading::value) {
          visit(entry(p, i).second);
        } else {
          visit(const_cast<V&>(std::as_const(*this).entry(p, i).second));
        }
      }
    }
  }

 private:
  struct Place {
    std::size_t part = 0, at = 0;
    bool found = false;
  };

  const value_type& entry(std::size_t part, std::size_t at) const { return *(*parts_[part])[at]; }
  value_type& entry(std::size_t part, std::size_t at) {
    Entry& entry = this->part(part)[at];
    if (entry.use_count() != 1) entry = std::make_shared<value_type>(*entry);
    return *entry;
  }
  /// To change it.
  Part& part(std::size_t index) {
    auto& part = parts_[index];
    if (part.use_count() != 1) part = std::make_shared<Part>(*part);
    return *part;
  }

  /// Where the key is, or belongs: behind the last of a part rather than before the first of one.
  Place place_of(std::string_view key) const {
    std::size_t low = 0,
                high = parts_.size();  // of parts that begin behind the key: from `high` on
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (std::string_view(parts_[middle]->front()->first) <= key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) return {};
    const Part& part = *parts_[low - 1];
    std::size_t first = 0, last = part.size();
    while (first < last) {
      const std::size_t middle = (first + last) / 2;
      const int order = std::string_view(part[middle]->first).compare(key);
      if (order == 0) return {low - 1, middle, true};
      if (order < 0) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return {low - 1, first, false};
  }
  Place behind_all() const {
    return parts_.empty() ? Place{} : Place{parts_.size() - 1, parts_.back()->size(), false};
  }
  /// place_of, at once for keys that come in their order.
  Place place_to_insert(std::string_view key) const {
    const bool last = parts_.empty() || std::string_view(parts_.back()->back()->first) < key;
    return last ? behind_all() : place_of(key);
  }

  iterator place_for(std::string_view key) {
    const Place place = place_to_insert(key);
    if (place.found) return iterator(this, place.part, place.at);
    return insert(place, std::make_shared<value_type>(std::string(key), V{}));
  }

  iterator insert(Place place, Entry entry) {
    ++size_;
    if (parts_.empty()) parts_.push_back(std::make_shared<Part>());
    if (parts_[place.part]->size() >= kPartMax) place = split(place);
    Part& into = part(place.part);
    into.insert(into.begin() + static_cast<std::ptrdiff_t>(place.at), std::move(entry));
    return iterator(this, place.part, place.at);
  }
  /// Makes room in a full part; what comes behind the last of all begins a part of its own, so that
  /// a map that is filled in order has full ones.
  Place split(Place place) {
    Part& full = part(place.part);
    const auto next = parts_.begin() + static_cast<std::ptrdiff_t>(place.part) + 1;
    if (place.at == kPartMax && next == parts_.end()) {
      parts_.push_back(std::make_shared<Part>());
      return {place.part + 1, 0, false};
    }
    const auto half = full.begin() + kPartMax / 2;
    auto rest =
        std::make_shared<Part>(std::make_move_iterator(half), std::make_move_iterator(full.end()));
    full.erase(half, full.end());
    parts_.insert(next, std::move(rest));
    if (place.at <= kPartMax / 2) return place;
    return {place.part + 1, place.at - kPartMax / 2, false};
  }

  std::vector<std::shared_ptr<Part>> parts_;
  std::size_t size_ = 0;
};

}  // namespace aisfs
