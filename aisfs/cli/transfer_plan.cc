// SPDX-License-Identifier: MIT
#include "aisfs/cli/transfer_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/base/text.h"

namespace aisfs::cli {
namespace {

namespace fs = std::filesystem;

std::int64_t ns_of(const timespec& t) { return t.tv_sec * 1'000'000'000ll + t.tv_nsec; }

PosixAttrs attrs_of(const struct stat& st) {
  PosixAttrs posix;
  posix.mode = st.st_mode;
  posix.uid = st.st_uid;
  posix.gid = st.st_gid;
  posix.atime_ns = ns_of(st.st_atim);
  posix.mtime_ns = ns_of(st.st_mtim);
  posix.ctime_ns = ns_of(st.st_ctim);
  return posix;
}

Result<std::string> read_link(const std::string& path) {
  std::string target(4096, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  if (n < 0) return errno_error("readlink " + path);
  target.resize(static_cast<std::size_t>(n));
  return target;
}

/// The item of one name of the folder; unsupported for what an object cannot stand for.
Result<TransferItem> item_of(const std::string& path, ObjectName object) {
  CHECK_OK(validate_key(object.key));
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) return errno_error("stat " + path);
  TransferItem item{.local = path, .object = std::move(object), .posix = attrs_of(st)};
  if (S_ISREG(st.st_mode)) {
    item.size = static_cast<std::uint64_t>(st.st_size);
  } else if (S_ISLNK(st.st_mode)) {
    item.kind = TransferItem::Kind::kSymlink;
    TRY(item.posix.symlink, read_link(path));
  } else if (S_ISDIR(st.st_mode)) {
    item.kind = TransferItem::Kind::kDirectory;
  } else {
    return Error(Errc::unsupported, path + " is neither a file, a link nor a folder");
  }
  return item;
}

/// A folder with entries is implied by them.
bool is_wanted(const TransferItem& item) {
  std::error_code ec;
  return item.kind != TransferItem::Kind::kDirectory || fs::is_empty(item.local, ec);
}

}  // namespace

std::string key_for_file(std::string_view local, const Location& to) {
  if (to.key.empty() || to.key.ends_with('/')) return to.key + base_name(local);
  return to.key;
}

Status plan_put_file(TransferPlan& plan, const std::string& local, const Location& to) {
  struct stat st{};
  // The file that a link leads to: who names one link means its contents.
  if (::stat(local.c_str(), &st) != 0) return errno_error("stat " + local);
  if (!S_ISREG(st.st_mode))
    return Error(Errc::unsupported, local + " is not a regular file; ais put - reads pipes");
  ObjectName object{to.bucket, key_for_file(local, to)};
  CHECK_OK(validate_key(object.key));
  plan.add({.local = local,
            .object = std::move(object),
            .size = static_cast<std::uint64_t>(st.st_size),
            .posix = attrs_of(st)});
  return {};
}

Result<TransferPlan> plan_put(std::string folder, Location to) {
  std::string prefix = to.key;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();

  TransferPlan plan;
  std::error_code ec;
  fs::recursive_directory_iterator it(folder, ec), end;
  if (ec) return errno_error("open " + folder, ec.value());
  for (; it != end; it.increment(ec)) {
    const std::string path = it->path().string();
    auto item = item_of(path, {to.bucket, prefix + path.substr(folder.size() + 1)});
    if (!item) {
      plan.refused.push_back(std::move(item).error());
    } else if (is_wanted(*item)) {
      plan.add(*std::move(item));
    }
  }
  if (ec) return errno_error("read " + folder, ec.value());
  std::sort(plan.items.begin(), plan.items.end(),
            [](const auto& a, const auto& b) { return a.object.key < b.object.key; });
  return plan;
}

Result<std::string> local_path_for(std::string_view key,
                                   std::string_view prefix,
                                   std::string_view folder) {
  const auto slash = prefix.rfind('/');
  std::string_view rest = key.substr(slash == prefix.npos ? 0 : slash + 1);
  const auto refuse = [&](std::string_view why) {
    return Error(Errc::invalid_argument,
                 "\"" + std::string(key) + "\" cannot be a file here: " + std::string(why));
  };
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty()) return refuse("its name is empty");
  for (std::string_view part : split(rest, '/')) {
    if (part.empty()) return refuse("a part of its name is empty");
    if (part == "." || part == "..") return refuse("its name contains '.' or '..'");
    if (part.size() > 255) return refuse("a part of its name has more than 255 bytes");
  }
  return std::string(folder) + "/" + std::string(rest);
}

void plan_get_entry(TransferPlan& plan,
                    const Location& from,
                    const ListEntry& entry,
                    std::string_view folder) {
  // "photos/" itself, when photos/ is what was asked for: that is the folder.
  if (entry.key.ends_with('/') && entry.key.size() <= from.key.size()) return;
  auto local = local_path_for(entry.key, from.key, folder);
  if (!local) {
    plan.refused.push_back(std::move(local).error());
    return;
  }
  TransferItem item{
      .local = *std::move(local), .object = {from.bucket, entry.key}, .size = entry.info.size};
  item.posix = entry.info.posix.value_or(PosixAttrs{});
  if (entry.key.ends_with('/')) item.kind = TransferItem::Kind::kDirectory;
  if (S_ISLNK(item.posix.mode)) item.kind = TransferItem::Kind::kSymlink;
  plan.add(std::move(item));
}

}  // namespace aisfs::cli
