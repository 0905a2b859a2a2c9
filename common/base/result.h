// SPDX-License-Identifier: MIT
// The one error type of the project and the ways to pass it on.
#pragma once
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/assert.h"

namespace aisfs {

/// Who may try again after an error, and after what.
enum class Retry : std::uint8_t { kNever, kOtherReplica, kAfterRefresh, kBackoff };

enum class Errc : std::uint16_t {
#define ERRC(name, err, http, retry) name,
#include "common/base/errc.def"
#undef ERRC
};

/// What an error code means to each of its readers.
struct ErrcInfo {
  std::string_view name;
  int posix;  // errno for FUSE
  int http;   // status for REST and S3
  Retry retry;
};

inline constexpr ErrcInfo kErrcInfo[] = {
#define ERRC(name, err, http, retry) {#name, err, http, Retry::retry},
#include "common/base/errc.def"
#undef ERRC
};
inline constexpr std::size_t kErrcCount = std::size(kErrcInfo);

constexpr const ErrcInfo& info(Errc code) { return kErrcInfo[static_cast<std::size_t>(code)]; }

/// The code that stands for an errno of a system call; unknown numbers become io.
Errc errc_of_errno(int err);

/// A code for machines, a sentence for people.
class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string what = {}) : code_(code), what_(std::move(what)) {}

  Errc code() const { return code_; }
  const std::string& what() const { return what_; }

  /// Prefixes context; the innermost cause stays last: "put a/b: write: No space left".
  Error&& context(std::string_view outer) &&;

  /// Of a request of which nobody has seen anything: it may be sent again, whatever it does. Known
  /// to who sent it only: an error that another process has reported does not have it.
  bool never_sent() const { return never_sent_; }
  Error&& mark_never_sent() && {
    never_sent_ = true;
    return std::move(*this);
  }

  friend bool operator==(const Error& e, Errc code) { return e.code_ == code; }

 private:
  Errc code_;
  bool never_sent_ = false;
  std::string what_;
};

/// An Error for the errno of a failed system call: "open /m/x: Permission denied".
Error errno_error(std::string_view doing, int err = errno);

/// A value or the reason why there is none. Its members are a subset of std::expected's.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}
  Result(Errc code) : v_(std::in_place_index<1>, Error(code)) {}

  bool ok() const noexcept { return v_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& operator*() & { return get(); }
  T&& operator*() && { return std::move(get()); }
  const T& operator*() const& { return const_cast<Result*>(this)->get(); }
  T* operator->() { return &get(); }
  const T* operator->() const { return &const_cast<Result*>(this)->get(); }

  Error& error() & { return failure(); }
  Error&& error() && { return std::move(failure()); }
  const Error& error() const& { return const_cast<Result*>(this)->failure(); }

  T value_or(T other) && { return ok() ? std::move(get()) : std::move(other); }

 private:
  T& get() {
    AISFS_ASSERT(ok());
    return *std::get_if<0>(&v_);
  }
  Error& failure() {
    AISFS_ASSERT(!ok());
    return *std::get_if<1>(&v_);
  }
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  Result(Errc code) : error_(Error(code)) {}

  bool ok() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return ok(); }
  Error& error() & { return failure(); }
  Error&& error() && { return std::move(failure()); }
  const Error& error() const& { return const_cast<Result*>(this)->failure(); }

 private:
  Error& failure() {
    AISFS_ASSERT(error_.has_value());
    return *error_;
  }
  std::optional<Error> error_;
};
using Status = Result<void>;

}  // namespace aisfs

#define AISFS_CAT2_(a, b) a##b
#define AISFS_CAT_(a, b) AISFS_CAT2_(a, b)
#define AISFS_TRY_(ret, tmp, decl, ...)          \
  auto tmp = (__VA_ARGS__);                       \
  if (!tmp) [[unlikely]] ret std::move(tmp).error(); \
  decl = *std::move(tmp)
/// TRY(auto fd, open_ro(path));   in functions
#define TRY(decl, ...) AISFS_TRY_(return, AISFS_CAT_(try_, __COUNTER__), decl, __VA_ARGS__)
/// CO_TRY(auto obj, co_await store.open(key));   in coroutines
#define CO_TRY(decl, ...) AISFS_TRY_(co_return, AISFS_CAT_(try_, __COUNTER__), decl, __VA_ARGS__)
#define CHECK_OK(...)                                                            \
  do {                                                                           \
    if (auto st_ = (__VA_ARGS__); !st_) [[unlikely]] return std::move(st_).error(); \
  } while (false)
#define CO_CHECK_OK(...)                                                            \
  do {                                                                              \
    if (auto st_ = (__VA_ARGS__); !st_) [[unlikely]] co_return std::move(st_).error(); \
  } while (false)
