// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aisfs::s3 {

/// An error as S3 words it.
struct S3Error {
  int status = 500;
  std::string code = "InternalError";  // "NoSuchKey", ...
  std::string message;
  std::vector<std::pair<std::string, std::string>> more = {};  // further elements of the body
};

/// <Error><Code>..</Code><Message>..</Message><Resource>..</Resource><RequestId>..</RequestId></Error>
std::string error_body(const S3Error& error,
                       std::string_view resource,
                       std::string_view request_id);

}  // namespace aisfs::s3
