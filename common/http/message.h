// SPDX-License-Identifier: MIT
// HTTP messages as values; nothing here knows a socket or Beast.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace aisfs::http {

enum class Method : std::uint8_t { kGet, kHead, kPut, kPost, kDelete, kPatch, kOptions, kOther };
std::string_view to_string(Method method);
Method parse_method(std::string_view text);

/// Header fields in the order of arrival. Names compare without case.
class Fields {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  /// The first value of the name; null when there is none.
  const std::string* find(std::string_view name) const;
  /// As find, with "" for none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::size_t count(std::string_view name) const;

  void add(std::string_view name, std::string_view value);
  /// Replaces all values of the name by this one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

struct RequestHead {
  Method method = Method::kGet;
  std::string target = "/";  // as received: path and query, still encoded
  Fields fields;
};

struct ResponseHead {
  int status = 200;
  Fields fields;
};

/// The reason phrase of a status; "Unknown" for one without.
std::string_view reason_of(int status);

/// A request target taken apart. `path` is decoded exactly once, `raw_path` is as received.
struct Target {
  struct Param {
    std::string name;   // decoded; '+' is a plus
    std::string value;  // "" when there was no '='
    bool has_value = false;
  };
  std::string raw_path;
  std::string path;
  std::vector<Param> query;  // in order, duplicates kept

  /// invalid_argument for bad percent-encoding or a target that is not origin-form.
  static Result<Target> parse(std::string_view text);

  const std::string* find(std::string_view name) const;
  std::string_view get(std::string_view name) const;  // "" for none
  bool has(std::string_view name) const { return find(name) != nullptr; }
};

/// "Sun, 06 Nov 1994 08:49:37 GMT" of nanoseconds since 1970.
std::string http_date(std::int64_t unix_ns);
/// Any of the three forms of RFC 9110 5.6.7; nullopt for anything else.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace aisfs::http
