// SPDX-License-Identifier: MIT
// Cross-origin rules of a bucket (S3's CORSConfiguration), and what browsers are told by them.
// Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/http/message.h"

namespace aisfs::s3 {

struct CorsRule {
  std::string id;
  std::vector<std::string> origins;  // each with at most one '*', which stands for any text
  std::vector<std::string> methods;  // GET, PUT, POST, DELETE, HEAD
  std::vector<std::string> headers;  // that a request may have; '*' as in origins
  std::vector<std::string> expose;
  std::optional<std::uint64_t> max_age_s;

  bool operator==(const CorsRule&) const = default;
};
using CorsRules = std::vector<CorsRule>;

inline constexpr std::size_t kCorsRulesMax = 100;
inline constexpr std::size_t kCorsBytesMax = 64 * 1024;

/// A CORSConfiguration. invalid_argument for what is none, for more than kCorsRulesMax rules, and
/// for a rule without origin or method, with another method or with two stars in a row of its own.
Result<CorsRules> parse_cors_xml(std::string_view text);
std::string format_cors_xml(const CorsRules& rules);

/// What a browser asks for or sends.
struct CorsRequest {
  std::string_view origin;
  std::string_view method;
  std::vector<std::string> headers;  // of a preflight: those that it will send
};

/// The headers of the answer by the first rule that lets the request in; nullopt when none does.
std::optional<http::Fields> cors_fields(const CorsRules& rules, const CorsRequest& request);

}  // namespace aisfs::s3
