// SPDX-License-Identifier: MIT
// Tags of an object, kept among its headers as "a=b&c=d", percent-encoded. Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::front::s3 {

using Tags = std::map<std::string, std::string>;

/// Of the x-amz-tagging header; InvalidTag for more than 10, too long or repeated ones.
Result<Tags> parse_tag_header(std::string_view text);
/// Of a Tagging document; MalformedXML or InvalidTag.
Result<Tags> parse_tag_xml(std::string_view text);
std::string format_tags(const Tags& tags);
/// What format_tags wrote.
Tags parse_stored_tags(std::string_view text);

}  // namespace aisfs::front::s3
