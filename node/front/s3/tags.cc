// SPDX-License-Identifier: MIT
#include "node/front/s3/tags.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/s3/xml_reader.h"
#include "node/front/s3/errors.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kTagKeyMax = 128;
constexpr std::size_t kTagValueMax = 256;

/// Characters, not bytes.
std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

Status add_tag(Tags& tags, std::string key, std::string value, std::size_t most) {
  if (key.empty() || length_of(key) > kTagKeyMax || length_of(value) > kTagValueMax) {
    return fail("InvalidTag");
  }
  if (!tags.emplace(std::move(key), std::move(value)).second) {
    return fail("InvalidTag", "Cannot provide multiple Tags with the same key");
  }
  if (tags.size() > most) {
    return fail("InvalidTag", "there cannot be more than " + std::to_string(most) + " tags");
  }
  return {};
}

Result<std::string> decode(std::string_view text) {
  std::string plus(text);
  std::replace(plus.begin(), plus.end(), '+', ' ');
  return percent_decode(plus);
}

Result<Tags> parse_pairs(std::string_view text, std::size_t most) {
  Tags tags;
  for (std::string_view piece : split(text, '&')) {
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    auto key = decode(piece.substr(0, equals));
    auto value = decode(equals == piece.npos ? std::string_view{} : piece.substr(equals + 1));
    if (!key.ok() || !value.ok()) return fail("InvalidTag");
    CHECK_OK(add_tag(tags, std::move(*key), std::move(*value), most));
  }
  return tags;
}

}  // namespace

Result<Tags> parse_tag_header(std::string_view text) { return parse_pairs(text, kObjectTagsMax); }

Result<Tags> parse_tag_xml(std::string_view text, std::size_t most) {
  const auto root = aisfs::s3::parse_xml(text);
  if (!root.ok() || root->name != "Tagging") return fail("MalformedXML");
  const auto* set = root->find("TagSet");
  if (set == nullptr) return fail("MalformedXML");
  Tags tags;
  for (const auto& tag : set->children) {
    if (tag.name != "Tag" || tag.find("Key") == nullptr) return fail("MalformedXML");
    CHECK_OK(add_tag(tags, std::string(tag.get("Key")), std::string(tag.get("Value")), most));
  }
  return tags;
}

std::string format_tags(const Tags& tags) {
  std::string out;
  for (const auto& [key, value] : tags) {
    if (!out.empty()) out += '&';
    out.append(percent_encode(key, Slash::kEncode)).append("=");
    out.append(percent_encode(value, Slash::kEncode));
  }
  return out;
}

Tags parse_stored_tags(std::string_view text) {
  return parse_pairs(text, kBucketTagsMax).value_or({});
}

}  // namespace aisfs::front::s3
