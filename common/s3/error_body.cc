// SPDX-License-Identifier: MIT
#include "common/s3/error_body.h"

#include "common/s3/xml_writer.h"

namespace aisfs::s3 {

std::string error_body(const S3Error& error,
                       std::string_view resource,
                       std::string_view request_id) {
  XmlWriter xml("Error");
  xml.leaf("Code", error.code).leaf("Message", error.message);
  for (const auto& [name, value] : error.more) xml.leaf(name, value);
  xml.leaf("Resource", resource).leaf("RequestId", request_id);
  return std::move(xml).finish();
}

}  // namespace aisfs::s3
