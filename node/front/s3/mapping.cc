// SPDX-License-Identifier: MIT
#include "node/front/s3/mapping.h"

#include <sys/stat.h>

#include "common/base/text.h"
#include "common/model/meta_time.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// The number under `name` in `user`; false when it is there and is none.
bool read_u32(const std::map<std::string, std::string>& user,
              const char* name,
              std::optional<std::uint32_t>& out) {
  const auto it = user.find(name);
  if (it == user.end()) return true;
  const auto value = parse_u64(it->second);
  if (!value || *value > 0xffffffff) return false;
  out = static_cast<std::uint32_t>(*value);
  return true;
}

bool read_time(const std::map<std::string, std::string>& user,
               const char* name,
               std::optional<std::int64_t>& out) {
  const auto it = user.find(name);
  if (it == user.end()) return true;
  out = parse_meta_time(it->second);
  return out.has_value();
}

/// s3fs writes the type into the mode; older versions and other tools leave it out.
std::uint32_t with_type(std::uint32_t mode, std::string_view key, std::string_view content_type) {
  if ((mode & S_IFMT) != 0) return mode;
  const bool directory = key.ends_with('/') || content_type == "application/x-directory";
  return mode | (directory ? S_IFDIR : S_IFREG);
}

}  // namespace

std::string format_meta_time(std::int64_t ns) {
  std::int64_t seconds = ns / kSecond, rest = ns % kSecond;
  if (rest < 0) {
    --seconds;
    rest += kSecond;
  }
  std::string fraction = std::to_string(rest);
  return std::to_string(seconds) + "." + std::string(9 - fraction.size(), '0') + fraction;
}

std::optional<PosixAttrs> take_posix(std::map<std::string, std::string>& user,
                                     std::string_view key,
                                     std::string_view content_type,
                                     std::int64_t now_ns) {
  std::optional<std::uint32_t> mode, uid, gid;
  std::optional<std::int64_t> mtime, ctime, atime;
  const bool readable = read_u32(user, "mode", mode) && read_u32(user, "uid", uid) &&
                        read_u32(user, "gid", gid) && read_time(user, "mtime", mtime) &&
                        read_time(user, "ctime", ctime) && read_time(user, "atime", atime);
  const bool knows_more_than_times = mode || uid || gid;
  if (!readable || !knows_more_than_times) return std::nullopt;
  PosixAttrs posix;
  posix.mode = with_type(mode.value_or(0644), key, content_type);
  posix.uid = uid.value_or(0);
  posix.gid = gid.value_or(0);
  posix.mtime_ns = mtime.value_or(now_ns);
  posix.ctime_ns = ctime.value_or(now_ns);
  posix.atime_ns = atime.value_or(posix.mtime_ns);
  for (const char* name : {"mode", "uid", "gid", "mtime", "ctime", "atime"}) user.erase(name);
  return posix;
}

bool is_link(const std::optional<PosixAttrs>& posix) { return posix && S_ISLNK(posix->mode); }

void make_link(PosixAttrs& posix, std::string target) {
  const bool possible = !target.empty() && target.size() <= kLinkBytesMax &&
                        target.find('\0') == std::string::npos;
  if (possible) {
    posix.symlink = std::move(target);
  } else {
    posix.mode = (posix.mode & ~std::uint32_t{S_IFMT}) | S_IFREG;
  }
}

std::map<std::string, std::string> show_posix(const PosixAttrs& posix) {
  std::map<std::string, std::string> keys;
  keys["mtime"] = format_meta_time(posix.mtime_ns);
  keys["mode"] = std::to_string(posix.mode);
  keys["uid"] = std::to_string(posix.uid);
  keys["gid"] = std::to_string(posix.gid);
  keys["ctime"] = format_meta_time(posix.ctime_ns);
  keys["atime"] = format_meta_time(posix.atime_ns);
  return keys;
}

}  // namespace aisfs::front::s3
