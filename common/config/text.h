// SPDX-License-Identifier: MIT
// Values of settings as people write them: "64MiB", "5s", "true", "a,b".
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace aisfs::config {

/// A size; a type of its own, so that it is written with a unit.
struct Bytes {
  std::uint64_t count = 0;
  constexpr auto operator<=>(const Bytes&) const = default;
};
inline namespace literals {
constexpr Bytes operator""_KiB_size(unsigned long long n) { return {n << 10}; }
constexpr Bytes operator""_MiB_size(unsigned long long n) { return {n << 20}; }
constexpr Bytes operator""_GiB_size(unsigned long long n) { return {n << 30}; }
}  // namespace literals

using Duration = std::chrono::nanoseconds;
using StringList = std::vector<std::string>;

/// How a type of setting is read and shown: parse (invalid_argument says what was expected), show
/// (parse takes it back), and kKind for the tables of the man page.
template <class T>
struct Text;

template <>
struct Text<std::int64_t> {
  static constexpr std::string_view kKind = "number";
  static Result<std::int64_t> parse(std::string_view text);
  static std::string show(std::int64_t value);
};
template <>
struct Text<bool> {
  static constexpr std::string_view kKind = "true|false";
  static Result<bool> parse(std::string_view text);
  static std::string show(bool value);
};
/// With a unit (B, KiB, MiB, GiB, TiB); "0" needs none.
template <>
struct Text<Bytes> {
  static constexpr std::string_view kKind = "size";
  static Result<Bytes> parse(std::string_view text);
  static std::string show(Bytes value);
};
/// With a unit (ns, us, ms, s, min, h, d); "0" needs none.
template <>
struct Text<Duration> {
  static constexpr std::string_view kKind = "duration";
  static Result<Duration> parse(std::string_view text);
  static std::string show(Duration value);
};
template <>
struct Text<std::string> {
  static constexpr std::string_view kKind = "text";
  static Result<std::string> parse(std::string_view text);
  static std::string show(const std::string& value);
};
/// Separated by commas; spaces around an element do not count.
template <>
struct Text<StringList> {
  static constexpr std::string_view kKind = "list";
  static Result<StringList> parse(std::string_view text);
  static std::string show(const StringList& value);
};

/// Enums: specialise Names with the words of the values, in their order from 0.
///   template <> struct Names<Role> { static constexpr std::string_view kNames[] = {"gateway", ...}; };
template <class E>
struct Names;

namespace detail {
Result<std::size_t> parse_name(std::string_view text, const std::string_view* names, std::size_t n);
}  // namespace detail

template <class E>
  requires std::is_enum_v<E>
struct Text<E> {
  static constexpr std::string_view kKind = "word";
  static Result<E> parse(std::string_view text) {
    TRY(const auto index, detail::parse_name(text, Names<E>::kNames, std::size(Names<E>::kNames)));
    return static_cast<E>(index);
  }
  static std::string show(E value) {
    return std::string(Names<E>::kNames[static_cast<std::size_t>(value)]);
  }
};

}  // namespace aisfs::config
