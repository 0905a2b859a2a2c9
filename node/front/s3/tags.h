// SPDX-License-Identifier: MIT
// Tags of an object, kept among its headers as "a=b&c=d", percent-encoded, and those of a bucket,
// kept with its properties in the same way. Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::front::s3 {

using Tags = std::map<std::string, std::string>;

inline constexpr std::size_t kObjectTagsMax = 10;
inline constexpr std::size_t kBucketTagsMax = 50;

/// Of the x-amz-tagging header; InvalidTag for more than 10, too long or repeated ones.
Result<Tags> parse_tag_header(std::string_view text);
/// Of a Tagging document; MalformedXML or InvalidTag, which more than `most` are too.
Result<Tags> parse_tag_xml(std::string_view text, std::size_t most);
std::string format_tags(const Tags& tags);
/// What format_tags wrote, of a bucket or an object.
Tags parse_stored_tags(std::string_view text);

}  // namespace aisfs::front::s3
