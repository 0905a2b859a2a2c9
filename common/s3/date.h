// SPDX-License-Identifier: MIT
// The two forms of a date in S3 beside HTTP's own. Times are nanoseconds since 1970, UTC.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aisfs::s3 {

/// "2013-05-24T00:00:00.000Z": dates in XML.
std::string iso_date(std::int64_t unix_ns);
/// "20130524T000000Z": dates in signatures.
std::string amz_date(std::int64_t unix_ns);
/// The form of amz_date and nothing else.
std::optional<std::int64_t> parse_amz_date(std::string_view text);
/// "2013-05-24T00:00:00[.fraction]Z": dates in requests' XML and headers.
std::optional<std::int64_t> parse_iso_date(std::string_view text);

}  // namespace aisfs::s3
