// SPDX-License-Identifier: MIT
#include "aisfs/fs/inode_table.h"

#include <vector>

namespace aisfs::fs {

InodeTable::InodeTable(const AttrDefaults& defaults) {
  auto root = std::make_shared<Inode>();
  root->nodeid = kRootId;
  root->lookups = 1;  // never forgotten
  root->kind = Kind::kRoot;
  root->attr = dir_attr(nullptr, kRootId, defaults);
  by_id_.insert(std::move(root));
}

InodeTable::~InodeTable() = default;

InodePtr InodeTable::find(std::uint64_t nodeid) const {
  const auto it = by_id_.find(nodeid);
  return it == by_id_.end() ? nullptr : *it;
}

InodePtr InodeTable::child(const Inode& parent, const std::string& name) const {
  const auto it = by_name_.find(NameView{parent.nodeid, name});
  return it == by_name_.end() ? nullptr : find((*it)->nodeid);
}

InodePtr InodeTable::add(const InodePtr& parent, const std::string& name, Kind kind) {
  if (InodePtr old = child(*parent, name)) detach(old);
  auto inode = std::make_shared<Inode>();
  inode->nodeid = ++last_id_;
  inode->kind = kind;
  by_id_.insert(inode);
  move(inode, parent, name);
  return inode;
}

/// Takes an inode out of the names; its parent may be unused now.
void InodeTable::unname(Inode& inode) {
  const auto it = by_name_.find(&inode);
  if (it != by_name_.end() && *it == &inode) by_name_.erase(it);
  InodePtr parent = std::move(inode.parent);
  inode.parent.reset();
  --parent->children;
  drop_if_unused(std::move(parent));
}

void InodeTable::detach(const InodePtr& inode) {
  if (inode->parent == nullptr) return;
  unname(*inode);
  drop_if_unused(inode);
}

void InodeTable::move(const InodePtr& inode, const InodePtr& parent, const std::string& name) {
  if (InodePtr old = child(*parent, name); old && old != inode) detach(old);
  ++parent->children;  // first, so that it is not dropped in between
  if (inode->parent) unname(*inode);
  inode->parent = parent;
  inode->name = name;
  by_name_.insert(inode.get());
  unmiss(*parent, name);
}

void InodeTable::miss(const Inode& parent, const std::string& name, const Lease& lease) {
  constexpr std::size_t kMissedMax = 20'000;  // some 200 bytes each
  if (missed_.size() >= kMissedMax) missed_.clear();
  missed_.insert_or_assign(NameKey{parent.nodeid, name}, lease);
}

void InodeTable::unmiss(const Inode& parent, const std::string& name) {
  const auto it = missed_.find(NameView{parent.nodeid, name});
  if (it != missed_.end()) missed_.erase(it);
}

const Lease* InodeTable::missing(const Inode& parent, const std::string& name) const {
  const auto it = missed_.find(NameView{parent.nodeid, name});
  return it == missed_.end() ? nullptr : &it->second;
}

void InodeTable::forget(std::uint64_t nodeid, std::uint64_t count) {
  InodePtr inode = find(nodeid);
  if (inode == nullptr || nodeid == kRootId) return;
  inode->lookups -= std::min(inode->lookups, count);
  drop_if_unused(std::move(inode));
}

/// A directory with known children stays: their paths lead over it.
void InodeTable::drop_if_unused(InodePtr inode) {
  if (inode->lookups > 0 || inode->open || inode->children > 0 || inode->kind == Kind::kRoot)
    return;
  if (inode->attrs_unsent || inode->sending) return;
  by_id_.erase(inode);
  if (inode->parent) unname(*inode);
}

Result<Place> InodeTable::place(const Inode& inode) const {
  if (inode.kind == Kind::kRoot) return Error(Errc::not_permitted, "the root holds buckets only");
  std::vector<const Inode*> chain;
  const Inode* at = &inode;
  for (; at->kind != Kind::kBucket; at = at->parent.get()) {
    if (at->parent == nullptr) return Error(Errc::not_found, "the name is gone");
    chain.push_back(at);
  }
  if (at->parent == nullptr) return Error(Errc::not_found, "the bucket is gone");
  Place place{.bucket = native_bucket(at->name), .bucket_id = at->bucket_id};
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    if (!place.path.empty()) place.path += '/';
    place.path += (*it)->name;
  }
  return place;
}

}  // namespace aisfs::fs
