// SPDX-License-Identifier: MIT
#include "common/http/message.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace aisfs::http {
namespace {

// Fields of an ordinary head: one allocation instead of one each time that they double.
constexpr std::size_t kOrdinary = 12;

constexpr std::pair<Method, std::string_view> kMethods[] = {
    {Method::kGet, "GET"},       {Method::kHead, "HEAD"},   {Method::kPut, "PUT"},
    {Method::kPost, "POST"},     {Method::kDelete, "DELETE"}, {Method::kPatch, "PATCH"},
    {Method::kOptions, "OPTIONS"},
};

constexpr std::pair<int, std::string_view> kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

Result<Target::Param> parse_param(std::string_view text) {
  Target::Param param;
  const auto equals = text.find('=');
  param.has_value = equals != text.npos;
  TRY(param.name, percent_decode(text.substr(0, equals)));
  if (param.has_value) {
    TRY(param.value, percent_decode(text.substr(equals + 1)));
  }
  return param;
}

}  // namespace

std::string_view to_string(Method method) {
  for (const auto& [value, name] : kMethods) {
    if (value == method) return name;
  }
  return "OTHER";
}

Method parse_method(std::string_view text) {
  for (const auto& [value, name] : kMethods) {
    if (name == text) return value;
  }
  return Method::kOther;
}

const std::string* Fields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name.size() == name.size() && iequals(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view Fields::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view() : *value;
}

std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Field& f) { return iequals(f.name, name); }));
}

void Fields::add(std::string_view name, std::string_view value) {
  if (fields_.empty()) fields_.reserve(kOrdinary);
  fields_.push_back({std::string(name), std::string(value)});
}

void Fields::set(std::string_view name, std::string_view value) {
  const auto same = [&](const Field& f) { return iequals(f.name, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), same);
  if (first == fields_.end()) return add(name, value);
  first->value = value;
  fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

void Fields::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return iequals(f.name, name); });
}

std::string_view reason_of(int status) {
  const auto* at = std::lower_bound(std::begin(kReasons), std::end(kReasons), status,
                                    [](const auto& row, int s) { return row.first < s; });
  return at != std::end(kReasons) && at->first == status ? at->second : "Unknown";
}

Result<Target> Target::parse(std::string_view text) {
  if (!text.starts_with('/')) {
    return Error(Errc::invalid_argument, "request target must begin with '/'");
  }
  if (text.find('#') != text.npos) {
    return Error(Errc::invalid_argument, "request target has a fragment");
  }
  Target target;
  const auto mark = text.find('?');
  target.raw_path = text.substr(0, mark);
  TRY(target.path, percent_decode(target.raw_path));
  if (mark == text.npos) return target;
  for (std::string_view part : split(text.substr(mark + 1), '&')) {
    if (part.empty()) continue;
    TRY(auto param, parse_param(part));
    target.query.push_back(std::move(param));
  }
  return target;
}

const std::string* Target::find(std::string_view name) const {
  for (const Param& param : query) {
    if (param.name == name) return &param.value;
  }
  return nullptr;
}

std::string_view Target::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view() : *value;
}

}  // namespace aisfs::http
