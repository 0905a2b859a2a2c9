// SPDX-License-Identifier: MIT
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

constexpr std::string_view kForms = "write ais://BUCKET/NAME or BUCKET/NAME";

Error bad_location(std::string_view text, std::string_view why) {
  std::string what("\"");
  what.append(text).append("\" ").append(why).append("; ").append(kForms);
  return Error(Errc::invalid_argument, std::move(what));
}

/// Removes the scheme; false when it is one that this cluster does not have.
bool strip_scheme(std::string_view& text) {
  for (std::string_view scheme : {"ais://", "s3://"}) {
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      return true;
    }
  }
  const auto scheme_end = text.find("://");
  return scheme_end == text.npos || text.find('/') < scheme_end;
}

}  // namespace

Result<Location> parse_location(std::string_view text) {
  std::string_view rest = text;
  if (!strip_scheme(rest)) return bad_location(text, "has an unknown provider");
  const auto slash = rest.find('/');
  const std::string_view bucket = rest.substr(0, slash);
  if (bucket.empty()) return bad_location(text, "names no bucket");
  CHECK_OK(validate_bucket_name(bucket));

  Location location{native_bucket(std::string(bucket)), {}};
  if (slash != rest.npos) location.key = rest.substr(slash + 1);
  if (!location.key.empty()) CHECK_OK(validate_key(location.key));
  return location;
}

Result<Location> parse_object(std::string_view text) {
  TRY(Location location, parse_location(text));
  if (location.key.empty()) return bad_location(text, "names a bucket, not an object");
  return location;
}

Result<BucketName> parse_bucket(std::string_view text) {
  TRY(Location location, parse_location(text));
  if (!location.key.empty()) return bad_location(text, "names an object, not a bucket");
  return location.bucket;
}

std::string base_name(std::string_view key) {
  while (key.ends_with('/')) key.remove_suffix(1);
  return std::string(key.substr(key.rfind('/') + 1));
}

}  // namespace aisfs::cli
