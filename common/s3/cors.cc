// SPDX-License-Identifier: MIT
#include "common/s3/cors.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"

namespace aisfs::s3 {
namespace {

constexpr std::array<std::string_view, 5> kMethods = {"GET", "PUT", "POST", "DELETE", "HEAD"};

Error refuse(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

bool is_pattern(std::string_view text) {
  return !text.empty() && std::count(text.begin(), text.end(), '*') <= 1;
}

/// Header names and origins are compared as they are; '*' stands for any text, also for none.
bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  const std::string_view front = pattern.substr(0, star), back = pattern.substr(star + 1);
  return text.size() >= front.size() + back.size() && text.starts_with(front) &&
         text.ends_with(back);
}

Result<CorsRule> parse_rule(const XmlNode& node) {
  CorsRule rule;
  for (const XmlNode& child : node.children) {
    if (child.name == "ID") rule.id = child.text;
    if (child.name == "AllowedOrigin") rule.origins.push_back(child.text);
    if (child.name == "AllowedMethod") rule.methods.push_back(child.text);
    if (child.name == "AllowedHeader") rule.headers.push_back(child.text);
    if (child.name == "ExposeHeader") rule.expose.push_back(child.text);
    if (child.name != "MaxAgeSeconds") continue;
    rule.max_age_s = parse_u64(trim(child.text));
    if (!rule.max_age_s) return refuse("MaxAgeSeconds is no number");
  }
  if (rule.origins.empty() || rule.methods.empty()) {
    return refuse("a CORSRule needs an AllowedOrigin and an AllowedMethod");
  }
  for (const std::string& method : rule.methods) {
    if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
      return refuse("unsupported AllowedMethod " + method);
    }
  }
  const bool patterns = std::all_of(rule.origins.begin(), rule.origins.end(), is_pattern) &&
                        std::all_of(rule.headers.begin(), rule.headers.end(), is_pattern);
  if (!patterns) return refuse("an AllowedOrigin or AllowedHeader has more than one wildcard");
  return rule;
}

bool allows_header(const CorsRule& rule, const std::string& header) {
  return std::any_of(rule.headers.begin(), rule.headers.end(), [&](const std::string& pattern) {
    return matches(to_lower(pattern), to_lower(header));
  });
}

/// The origin that the rule lets in the request's by; null for none.
const std::string* origin_of(const CorsRule& rule, const CorsRequest& request) {
  const bool method =
      std::find(rule.methods.begin(), rule.methods.end(), request.method) != rule.methods.end();
  const bool headers =
      std::all_of(request.headers.begin(), request.headers.end(),
                  [&](const std::string& header) { return allows_header(rule, header); });
  if (!method || !headers) return nullptr;
  const auto it = std::find_if(rule.origins.begin(), rule.origins.end(), [&](const auto& pattern) {
    return matches(pattern, request.origin);
  });
  return it == rule.origins.end() ? nullptr : &*it;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text.append(text.empty() ? "" : ", ").append(one);
  return text;
}

}  // namespace

Result<CorsRules> parse_cors_xml(std::string_view text) {
  TRY(const XmlNode root, parse_xml(text, {.bytes = kCorsBytesMax, .depth = 8, .nodes = 10000}));
  if (root.name != "CORSConfiguration") return refuse("no CORSConfiguration");
  CorsRules rules;
  for (const XmlNode& child : root.children) {
    if (child.name != "CORSRule") continue;
    TRY(CorsRule rule, parse_rule(child));
    rules.push_back(std::move(rule));
  }
  if (rules.empty() || rules.size() > kCorsRulesMax) return refuse("1 to 100 rules are allowed");
  return rules;
}

std::string format_cors_xml(const CorsRules& rules) {
  XmlWriter xml("CORSConfiguration", kS3Namespace);
  for (const CorsRule& rule : rules) {
    xml.open("CORSRule");
    if (!rule.id.empty()) xml.leaf("ID", rule.id);
    for (const auto& method : rule.methods) xml.leaf("AllowedMethod", method);
    for (const auto& origin : rule.origins) xml.leaf("AllowedOrigin", origin);
    for (const auto& header : rule.headers) xml.leaf("AllowedHeader", header);
    if (rule.max_age_s) xml.leaf("MaxAgeSeconds", *rule.max_age_s);
    for (const auto& header : rule.expose) xml.leaf("ExposeHeader", header);
    xml.close();
  }
  return std::move(xml).finish();
}

std::optional<http::Fields> cors_fields(const CorsRules& rules, const CorsRequest& request) {
  for (const CorsRule& rule : rules) {
    const std::string* origin = origin_of(rule, request);
    if (origin == nullptr) continue;
    http::Fields fields;
    const bool anybody = *origin == "*";
    fields.set("Access-Control-Allow-Origin", anybody ? "*" : request.origin);
    if (!anybody) fields.set("Access-Control-Allow-Credentials", "true");
    fields.set("Access-Control-Allow-Methods", joined(rule.methods));
    if (!request.headers.empty()) {
      fields.set("Access-Control-Allow-Headers", joined(request.headers));
    }
    if (!rule.expose.empty()) fields.set("Access-Control-Expose-Headers", joined(rule.expose));
    if (rule.max_age_s) fields.set("Access-Control-Max-Age", std::to_string(*rule.max_age_s));
    fields.set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    return fields;
  }
  return std::nullopt;
}

}  // namespace aisfs::s3
