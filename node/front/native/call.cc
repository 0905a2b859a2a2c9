// SPDX-License-Identifier: MIT
#include "node/front/native/call.h"

#include <boost/json/parse.hpp>

#include <charconv>

#include "common/base/text.h"
#include "common/wire/data.h"
#include "common/wire/leases.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

// A list of names to delete has 10,000 names of 1 KiB at most.
constexpr std::size_t kActionBytesMax = 16 << 20;
constexpr unsigned kJsonDepthMax = 16;

/// The provider's own name; nullopt for one that AIStore does not have.
std::optional<std::string> normal_provider(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"", "ais"},    {"ais", "ais"}, {"aws", "aws"},  {"s3", "aws"},
      {"gcp", "gcp"}, {"gs", "gcp"},  {"az", "azure"}, {"azure", "azure"},
      {"oci", "oci"}, {"oc", "oci"},  {"ht", "ht"}};
  for (const auto& [name, provider] : kNames) {
    if (iequals(text, name)) return std::string(provider);
  }
  return std::nullopt;
}

Result<BucketName> make_bucket(std::string_view provider, std::string_view ns, std::string name) {
  auto normal = normal_provider(provider);
  if (!normal) {
    return Error(Errc::invalid_argument, "there is no provider \"" + std::string(provider) + "\"");
  }
  if (*normal != "ais") {
    return Error(Errc::unsupported, "provider \"" + *normal + "\" has no backend in this cluster");
  }
  BucketName bucket{.provider = *std::move(normal), .ns = {}, .name = std::move(name)};
  if (ns != "@#") bucket.ns = ns;
  return bucket;
}

}  // namespace

Result<JobsApi*> Call::jobs() const {
  if (jobs_api != nullptr) return jobs_api;
  return Error(Errc::unsupported, "node " + node_id + " has nothing to do with jobs");
}

bool Call::flag(std::string_view name) const {
  const std::string value = to_lower(target().get(name));
  return value == "true" || value == "y" || value == "yes" || value == "on" || value == "1";
}

std::uint64_t session_of(const http::RequestHead& head) {
  constexpr std::size_t kDigits = 16;
  const std::string_view text = head.fields.get(wire::kSessionHeader);
  std::uint64_t session = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, session, 16);
  return text.size() == kDigits && error == std::errc() && at == end ? session : 0;
}

std::optional<Version> unless_newer_of(const http::RequestHead& head) {
  const std::string* text = head.fields.find(wire::kUnlessNewerHeader);
  if (text == nullptr) return std::nullopt;
  return Version::parse(*text).value_or({});
}

PathTail tail_of(const http::Target& target, std::string_view group) {
  std::string_view path = target.path;
  path.remove_prefix(std::min(path.size(), std::string_view("/v1/").size() + group.size()));
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == path.npos) return {std::string(path), {}};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

Result<BucketName> bucket_of(const Call& call, std::string name) {
  return make_bucket(call.target().get("provider"), call.target().get("namespace"),
                     std::move(name));
}

Result<ObjectName> parse_uname(std::string_view text) {
  const auto provider = text.find('/');
  const auto ns = provider == text.npos ? text.npos : text.find('/', provider + 1);
  if (ns == text.npos) {
    return Error(Errc::invalid_argument,
                 "not of the form provider/@#/bucket/object: \"" + std::string(text) + "\"");
  }
  const std::string_view rest = text.substr(ns + 1);
  const auto name_end = std::min(rest.find('/'), rest.size());
  ObjectName name;
  TRY(name.bucket,
      make_bucket(text.substr(0, provider), text.substr(provider + 1, ns - provider - 1),
                  std::string(rest.substr(0, name_end))));
  if (name_end < rest.size()) name.key = rest.substr(name_end + 1);
  return name;
}

Task<Result<json::value>> read_message(BodySource& body) {
  CO_TRY(const std::string text, co_await read_all(body, kActionBytesMax));
  if (trim(text).empty()) co_return json::value(json::object());
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::value parsed = json::parse(text, ec, {}, options);
  if (ec || !parsed.is_object()) {
    co_return Error(Errc::invalid_argument, "the body is not a JSON message");
  }
  co_return parsed;
}

Task<Result<ActionMessage>> read_action(BodySource& body) {
  CO_TRY(const json::value parsed, co_await read_message(body));
  ActionMessage message;
  message.action = text_member(parsed, "action");
  message.name = text_member(parsed, "name");
  if (const json::value* value = member(parsed, "value")) message.value = *value;
  co_return message;
}

const json::value* member(const json::value& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  for (const auto& pair : object.get_object()) {
    if (iequals(std::string_view(pair.key().data(), pair.key().size()), name)) {
      return &pair.value();
    }
  }
  return nullptr;
}

std::string text_member(const json::value& object, std::string_view name) {
  const json::value* value = member(object, name);
  if (value == nullptr) return {};
  if (value->is_string())
    return std::string(value->get_string().c_str(), value->get_string().size());
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  return {};
}

std::uint64_t number_member(const json::value& object, std::string_view name) {
  return parse_u64(text_member(object, name)).value_or(0);
}

}  // namespace aisfs::native
