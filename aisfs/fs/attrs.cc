// SPDX-License-Identifier: MIT
#include "aisfs/fs/attrs.h"

#include <cstdlib>
#include <ctime>

#include "common/base/text.h"

namespace aisfs::fs {
namespace {

constexpr std::uint32_t kBlock = 4096;

void take_posix(const PosixAttrs& posix, Attr& attr) {
  attr.mode = posix.mode;
  attr.uid = posix.uid;
  attr.gid = posix.gid;
  attr.atime_ns = posix.atime_ns;
  attr.mtime_ns = posix.mtime_ns;
  attr.ctime_ns = posix.ctime_ns;
  attr.rdev = posix.rdev;
  attr.has_posix = true;
}

const std::string* find(const std::map<std::string, std::string>& user, const char* key) {
  const auto it = user.find(key);
  return it == user.end() ? nullptr : &it->second;
}

/// "1700000000.123456789" (rclone) or "1700000000" (s3fs).
bool parse_time(const std::string* text, std::int64_t& ns) {
  if (text == nullptr) return false;
  const std::size_t dot = text->find('.');
  const auto seconds = parse_i64(std::string_view(*text).substr(0, dot));
  if (!seconds || *seconds < 0 || *seconds > 1'000'000'000'000) return false;
  std::string fraction = dot == text->npos ? "" : text->substr(dot + 1);
  fraction.resize(9, '0');
  const auto rest = parse_u64(fraction);
  if (!rest) return false;
  ns = *seconds * 1'000'000'000 + static_cast<std::int64_t>(*rest);
  return true;
}

/// s3fs writes mode decimal, rclone octal with a leading zero or a file type in front.
bool parse_mode(const std::string* text, std::uint32_t& mode) {
  if (text == nullptr || text->empty()) return false;
  const bool octal = text->front() == '0' || (text->size() == 6 && text->starts_with("10"));
  char* end = nullptr;
  const unsigned long value = std::strtoul(text->c_str(), &end, octal ? 8 : 10);
  if (*end != '\0' || value > 0177777) return false;
  mode = static_cast<std::uint32_t>(value);
  return true;
}

void take_user_metadata(const std::map<std::string, std::string>& user, Attr& attr) {
  std::uint32_t mode = 0;
  if (parse_mode(find(user, "mode"), mode)) {
    attr.mode = (mode & S_IFMT) != 0 ? mode : (attr.mode & S_IFMT) | mode;
  }
  if (const auto* uid = find(user, "uid")) attr.uid = parse_u64(*uid).value_or(attr.uid);
  if (const auto* gid = find(user, "gid")) attr.gid = parse_u64(*gid).value_or(attr.gid);
  parse_time(find(user, "mtime"), attr.mtime_ns);
  parse_time(find(user, "atime"), attr.atime_ns);
  parse_time(find(user, "ctime"), attr.ctime_ns);
}

timespec to_timespec(std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t seconds = ns / kSecond, rest = ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

}  // namespace

Attr file_attr(const ObjectInfo& info, const AttrDefaults& defaults) {
  Attr attr{.ino = info.ino,
            .size = info.size,
            .atime_ns = info.modified_ns,
            .mtime_ns = info.modified_ns,
            .ctime_ns = info.modified_ns,
            .mode = S_IFREG | defaults.file_mode,
            .uid = defaults.uid,
            .gid = defaults.gid,
            .nlink = info.nlink,
            .content_version = info.content_version};
  if (info.posix) {
    take_posix(*info.posix, attr);
    if (S_ISLNK(attr.mode)) attr.size = info.posix->symlink.size();
  } else {
    take_user_metadata(info.user, attr);
  }
  if ((attr.mode & S_IFMT) == 0 || S_ISDIR(attr.mode)) {
    attr.mode = S_IFREG | (attr.mode & 07777);  // a plain key is never a directory
  }
  return attr;
}

Attr dir_attr(const ObjectInfo* marker, std::uint64_t implied_ino, const AttrDefaults& defaults) {
  Attr attr{.ino = implied_ino,
            .atime_ns = defaults.time_ns,
            .mtime_ns = defaults.time_ns,
            .ctime_ns = defaults.time_ns,
            .mode = S_IFDIR | defaults.dir_mode,
            .uid = defaults.uid,
            .gid = defaults.gid};
  if (marker != nullptr) {
    attr = file_attr(*marker, defaults);
    if (!attr.has_posix) attr.mode = defaults.dir_mode;
    attr.mode = S_IFDIR | (attr.mode & 07777);
  }
  attr.nlink = 2;
  attr.size = kBlock;
  return attr;
}

PosixAttrs posix_of(const Attr& attr, std::string symlink) {
  return {.mode = attr.mode,
          .uid = attr.uid,
          .gid = attr.gid,
          .atime_ns = attr.atime_ns,
          .mtime_ns = attr.mtime_ns,
          .ctime_ns = attr.ctime_ns,
          .rdev = attr.rdev,
          .symlink = std::move(symlink)};
}

struct stat stat_of(const Attr& attr) {
  struct stat st = {};
  st.st_ino = attr.ino;
  st.st_mode = attr.mode;
  st.st_nlink = attr.nlink;
  st.st_uid = attr.uid;
  st.st_gid = attr.gid;
  st.st_rdev = attr.rdev;
  st.st_size = static_cast<off_t>(attr.size);
  st.st_blksize = kBlock;
  st.st_blocks = static_cast<blkcnt_t>((attr.size + 511) / 512);
  st.st_atim = to_timespec(attr.atime_ns);
  st.st_mtim = to_timespec(attr.mtime_ns);
  st.st_ctim = to_timespec(attr.ctime_ns);
  return st;
}

std::int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace aisfs::fs
