// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/config/text.h"

namespace aisfs::config {

/// When a changed value takes effect.
enum class Apply : std::uint8_t { kHot, kRestart };

class ParamBase;

/// A named group of settings. Members register themselves when they are constructed, so the order
/// of declaration is the order of every table. Not copied, not moved.
///
/// set and the parameters' operator() may be called from any thread; the rest while one thread
/// has the section.
class Section {
 public:
  Section() = default;
  Section(Section* parent, std::string_view name) : name_(name) {
    parent->children_.push_back(this);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  /// Sets "section.name" from text. not_found: no such setting (the nearest name is suggested);
  /// invalid_argument: the value is malformed or out of range, with the key and what is allowed.
  Status set(std::string_view path, std::string_view text);
  /// Null when there is none.
  const ParamBase* find(std::string_view path) const;

  /// Calls f(path, param) for every setting in the order of declaration.
  template <class F>
  void visit(F&& f, const std::string& prefix = {}) const;

 private:
  friend class ParamBase;
  std::string name_;
  std::vector<ParamBase*> params_;
  std::vector<Section*> children_;
};

class ParamBase {
 public:
  ParamBase(Section* section, std::string_view name, Apply apply, std::string_view doc)
      : name_(name), doc_(doc), apply_(apply) {
    section->params_.push_back(this);
  }
  ParamBase(const ParamBase&) = delete;
  ParamBase& operator=(const ParamBase&) = delete;
  virtual ~ParamBase() = default;

  std::string_view name() const { return name_; }
  std::string_view doc() const { return doc_; }
  Apply apply() const { return apply_; }

  virtual Status parse(std::string_view text) = 0;
  virtual std::string show() const = 0;
  virtual std::string show_default() const = 0;
  virtual std::string_view kind() const = 0;
  /// What the check allows, in words; "" when everything.
  virtual std::string_view allowed() const = 0;

 private:
  std::string_view name_;
  std::string_view doc_;
  Apply apply_;
};

template <class F>
void Section::visit(F&& f, const std::string& prefix) const {
  for (const auto* param : params_) f(prefix + std::string(param->name()), *param);
  for (const auto* child : children_) child->visit(f, prefix + child->name_ + ".");
}

/// Says which values are allowed, and whether one is.
template <class T>
struct Check {
  bool (*good)(const T&) = nullptr;  // null: everything is allowed
  std::string allowed;               // "1s to 1h"
};

/// in_range(1_MiB_size, 1_GiB_size). One range a type and call site, values known at compile time.
template <auto Low, auto High>
Check<std::remove_cv_t<decltype(Low)>> in_range() {
  using T = std::remove_cv_t<decltype(Low)>;
  return {[](const T& v) { return v >= Low && v <= High; },
          Text<T>::show(Low) + " to " + Text<T>::show(High)};
}
template <std::int64_t LowNs, std::int64_t HighNs>
Check<Duration> in_range_ns() {
  return {[](const Duration& v) { return v.count() >= LowNs && v.count() <= HighNs; },
          Text<Duration>::show(Duration(LowNs)) + " to " + Text<Duration>::show(Duration(HighNs))};
}

namespace detail {

/// What fits a lock-free atomic is one; strings and lists are snapshots behind a mutex.
template <class T, bool = std::is_trivially_copyable_v<T>>
class Cell {
 public:
  explicit Cell(T value) : value_(value) {}
  T load() const { return value_.load(std::memory_order_relaxed); }
  void store(T value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};
template <class T>
class Cell<T, false> {
 public:
  explicit Cell(T value) : value_(std::make_shared<const T>(std::move(value))) {}
  T load() const {
    std::lock_guard lock(mutex_);
    return *value_;
  }
  void store(T value) {
    auto next = std::make_shared<const T>(std::move(value));
    std::lock_guard lock(mutex_);
    value_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace detail

/// One setting. Read it at the place of use, config_.window_max(), and a hot change is free.
template <class T>
class Param final : public ParamBase {
 public:
  Param(Section* section,
        std::string_view name,
        T initial,
        Apply apply,
        std::string_view doc,
        Check<T> check = {})
      : ParamBase(section, name, apply, doc),
        default_(initial),
        value_(std::move(initial)),
        check_(std::move(check)) {}

  T operator()() const { return value_.load(); }

  /// invalid_argument when the check refuses the value.
  Status set(T value) {
    if (check_.good != nullptr && !check_.good(value)) {
      return Error(Errc::invalid_argument,
                   "must be " + check_.allowed + ", got " + Text<T>::show(value));
    }
    value_.store(std::move(value));
    return {};
  }
  Status parse(std::string_view text) override {
    TRY(T value, Text<T>::parse(text));
    return set(std::move(value));
  }
  std::string show() const override { return Text<T>::show(value_.load()); }
  std::string show_default() const override { return Text<T>::show(default_); }
  std::string_view kind() const override { return Text<T>::kKind; }
  std::string_view allowed() const override { return check_.allowed; }

 private:
  const T default_;
  detail::Cell<T> value_;
  const Check<T> check_;
};

}  // namespace aisfs::config
