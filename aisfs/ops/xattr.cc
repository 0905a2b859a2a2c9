// SPDX-License-Identifier: MIT
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {
namespace {

constexpr std::size_t kValueBytesMax = 64_KiB;

Status check_name(const std::string& name) {
  if (!name.starts_with("user."))
    return Error(Errc::unsupported, "only user.* attributes are kept");
  if (name.size() > 255) return Error(Errc::out_of_range, "attribute name over 255 bytes");
  return {};
}

struct Target {
  fs::InodePtr inode;
  ObjectName name;
};

/// The object that carries the attributes; an implied directory gets its marker when they change.
Task<Result<Target>> target_of(Mount& mount, Call call, NodeId node, bool changing) {
  CO_TRY(fs::InodePtr inode, inode_of(mount, node));
  if (inode->kind == fs::Kind::kRoot || inode->kind == fs::Kind::kBucket) {
    co_return Error(Errc::unsupported, "buckets have no extended attributes");
  }
  CO_CHECK_OK(co_await settle(mount, call, inode));
  if (changing) CO_CHECK_OK(co_await make_explicit(mount, call, inode));
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  const bool directory = inode->is_directory();
  co_return Target{inode, directory ? place.marker() : place.file()};
}

Task<Result<std::map<std::string, std::string>>> load(Mount& mount, Call call, NodeId node) {
  auto target = co_await target_of(mount, call, node, false);
  std::map<std::string, std::string> none;
  if (!target && target.error() == Errc::unsupported) co_return none;
  if (!target) co_return std::move(target).error();
  if (target->inode->implied) co_return none;
  Conditions any;
  CO_TRY(const ObjectInfo info,
         co_await mount.cluster.objects.head(call.context(), target->name, any));
  co_return info.xattrs;
}

Task<Status> change_xattrs(Mount& mount, Call call, NodeId node, AttrChange change) {
  CO_TRY(const Target target, co_await target_of(mount, call, node, true));
  const Conditions none;
  auto changed =
      co_await mount.cluster.objects.set_attrs(call.context(), target.name, change, none);
  if (!changed && may_have_happened(call, changed.error())) {
    change.xattr_must_exist.reset();  // that was so, or is not any more because of this
    change.xattr_must_not_exist.reset();
    const auto again = [&](bool) {
      return mount.cluster.objects.set_attrs(call.context(), target.name, change, none);
    };
    changed = co_await until_answered(call, again);
  }
  CO_TRY(ObjectInfo info, std::move(changed));
  mount.changed(*target.inode);
  target.inode->info.reset();
  target.inode->attr.ctime_ns = fs::now_ns();
  if (const auto file = target.inode->open) {
    file->base.xattrs = std::move(info.xattrs);
    file->base.meta_version = info.meta_version;
  }
  co_return Status();
}

}  // namespace

Task<Status> setxattr(
    Mount& mount, Call call, NodeId node, std::string name, std::string value, XattrMode mode) {
  CO_CHECK_OK(check_name(name));
  if (value.size() > kValueBytesMax) co_return Error(Errc::no_space, "attribute over 64 KiB");
  AttrChange change;
  if (mode == XattrMode::kCreate) change.xattr_must_not_exist = name;
  if (mode == XattrMode::kReplace) change.xattr_must_exist = name;
  change.xattrs[std::move(name)] = std::move(value);
  co_return co_await change_xattrs(mount, std::move(call), node, std::move(change));
}

Task<Result<std::string>> getxattr(Mount& mount, Call call, NodeId node, std::string name) {
  CO_CHECK_OK(check_name(name));
  CO_TRY(auto xattrs, co_await load(mount, std::move(call), node));
  const auto it = xattrs.find(name);
  if (it == xattrs.end()) co_return Error(Errc::no_attribute, name);
  co_return it->second;
}

Task<Result<std::string>> listxattr(Mount& mount, Call call, NodeId node) {
  CO_TRY(auto xattrs, co_await load(mount, std::move(call), node));
  std::string names;
  for (const auto& [name, value] : xattrs) names.append(name).push_back('\0');
  co_return names;
}

Task<Status> removexattr(Mount& mount, Call call, NodeId node, std::string name) {
  CO_CHECK_OK(check_name(name));
  AttrChange change;
  change.xattr_must_exist = name;
  change.xattrs[std::move(name)] = std::nullopt;
  co_return co_await change_xattrs(mount, std::move(call), node, std::move(change));
}

}  // namespace aisfs::ops
