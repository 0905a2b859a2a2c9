// SPDX-License-Identifier: MIT
#include "aisfs/cli/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace aisfs::cli {
namespace {

constexpr std::size_t kFileBytesMax = 16 * 1024;

Status check_private(int fd, const std::string& path) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return errno_error("stat " + path);
  if ((st.st_mode & 077) != 0) {
    return Error(Errc::permission_denied, path + " can be read by others; chmod 600 " + path);
  }
  return {};
}

Result<Credentials> read_keys_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return Credentials{};
  if (!fd.valid()) return errno_error("open " + path);
  CHECK_OK(check_private(fd.get(), path));
  std::string text(kFileBytesMax, '\0');
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size < 0) return errno_error("read " + path);
  text.resize(static_cast<std::size_t>(size));
  auto credentials = parse_keys_file(text);
  if (!credentials) return std::move(credentials).error().context(path);
  return credentials;
}

Status check_pair(const Credentials& c, std::string_view where) {
  if (c.access_key.empty() == c.secret_key.empty()) return {};
  return Error(Errc::invalid_argument,
               std::string(where) + (c.access_key.empty() ? ": no access key" : ": no secret key"));
}

}  // namespace

Environment environment_of_process() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

Result<Credentials> parse_keys_file(std::string_view text) {
  Credentials c;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.starts_with('#') || line.starts_with('[')) continue;
    const auto equals = line.find('=');
    const std::string name = to_lower(trim(line.substr(0, equals)));
    const std::string value(equals == line.npos ? "" : trim(line.substr(equals + 1)));
    if (name == "access_key" || name == "aws_access_key_id") {
      c.access_key = value;
    } else if (name == "secret_key" || name == "aws_secret_access_key") {
      c.secret_key = value;
    } else if (name == "token") {
      c.token = value;
    } else {
      return Error(Errc::invalid_argument,
                   "line " + std::to_string(number) + ": want access_key=, secret_key= or token=");
    }
  }
  CHECK_OK(check_pair(c, "keys"));
  return c;
}

Result<Credentials> find_credentials(const Environment& environment) {
  Credentials c{.access_key = environment("AWS_ACCESS_KEY_ID"),
                .secret_key = environment("AWS_SECRET_ACCESS_KEY"),
                .token = {}};
  CHECK_OK(check_pair(c, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
  if (!c.access_key.empty()) return c;
  c.token = environment("AIS_AUTHN_TOKEN");
  if (!c.token.empty()) return c;
  std::string config = environment("XDG_CONFIG_HOME");
  if (config.empty()) config = environment("HOME") + "/.config";
  return read_keys_file(config + "/aisfs/keys");
}

}  // namespace aisfs::cli
