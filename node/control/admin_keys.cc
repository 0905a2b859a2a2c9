// SPDX-License-Identifier: MIT
#include "node/control/admin_keys.h"

#include "node/control/small_file.h"

namespace aisfs::control {
namespace {

constexpr std::string_view kAccess = "AWS_ACCESS_KEY_ID=";
constexpr std::string_view kSecret = "AWS_SECRET_ACCESS_KEY=";

s3::KeyPair parse(std::string_view text) {
  s3::KeyPair keys;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(kAccess)) keys.access_key = line.substr(kAccess.size());
    if (line.starts_with(kSecret)) keys.secret_key = line.substr(kSecret.size());
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return keys;
}

}  // namespace

Result<s3::KeyPair> admin_keys(const std::string& file) {
  if (const auto text = read_private_file(file)) {
    s3::KeyPair kept = parse(*text);
    if (auth::validate_keys(kept)) return kept;
  } else if (text.error().code() != Errc::not_found) {
    return text.error();
  }
  s3::KeyPair made = auth::generate_keys();
  CHECK_OK(write_private_file(file, std::string(kAccess) + made.access_key + "\n" +
                                        std::string(kSecret) + made.secret_key + "\n"));
  return made;
}

}  // namespace aisfs::control
