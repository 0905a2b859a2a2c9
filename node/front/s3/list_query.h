// SPDX-License-Identifier: MIT
// What listings have in common: limits, encoding, owners.
#pragma once
#include "common/s3/xml_writer.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

/// A number of the query, at most `max`; InvalidArgument for what is none.
Result<std::uint32_t> limit_of(const Request& r, std::string_view name, std::uint32_t max);

/// encoding-type=url: names in the answer are percent-encoded. InvalidArgument for another type.
class NameEncoding {
 public:
  static Result<NameEncoding> of(const Request& r);

  std::string operator()(std::string_view name) const;
  /// <EncodingType>, if asked for.
  void write(aisfs::s3::XmlWriter& xml) const;

 private:
  bool url_ = false;
};

/// <Owner><ID>..</ID><DisplayName>..</DisplayName></Owner>, or under another name.
void write_owner(aisfs::s3::XmlWriter& xml,
                 const Request& r,
                 std::string_view element,
                 const std::string& user);

}  // namespace aisfs::front::s3
