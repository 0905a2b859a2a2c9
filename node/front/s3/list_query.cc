// SPDX-License-Identifier: MIT
#include "node/front/s3/list_query.h"

#include <algorithm>

#include "common/base/text.h"

namespace aisfs::front::s3 {

Result<std::uint32_t> limit_of(const Request& r, std::string_view name, std::uint32_t max) {
  const std::string_view text = r.param(name);
  if (text.empty()) return max;
  const auto limit = parse_u64(text);
  if (!limit || *limit > 0x7fffffff) {
    return fail("InvalidArgument", std::string(name) + " must be a number from 0 to 2147483647");
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(*limit, max));
}

Result<NameEncoding> NameEncoding::of(const Request& r) {
  NameEncoding encoding;
  const std::string_view type = r.param("encoding-type");
  if (!type.empty() && type != "url") {
    return fail("InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  encoding.url_ = type == "url";
  return encoding;
}

std::string NameEncoding::operator()(std::string_view name) const {
  return url_ ? percent_encode(name, Slash::kKeep) : std::string(name);
}

void NameEncoding::write(aisfs::s3::XmlWriter& xml) const {
  if (url_) xml.leaf("EncodingType", "url");
}

void write_owner(aisfs::s3::XmlWriter& xml,
                 const Request& r,
                 std::string_view element,
                 const std::string& user) {
  xml.open(element).leaf("ID", user).leaf("DisplayName", display_name_of(r, user)).close();
}

}  // namespace aisfs::front::s3
