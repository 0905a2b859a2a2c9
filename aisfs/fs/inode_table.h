// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "aisfs/fs/attrs.h"
#include "common/async/task.h"
#include "common/model/cluster_map.h"

namespace aisfs::ops {
struct OpenFile;
}

namespace aisfs::fs {

/// By what an answer of the cluster is believed until it is revoked (ops::Leases): a term of a
/// session, or a directory that is delegated to the mount. Term 0: not at all.
struct Lease {
  static constexpr std::size_t kDelegation = static_cast<std::size_t>(-1);
  std::size_t session = 0;
  std::uint64_t term = 0;
  Epoch epoch = 0;
};

enum class Kind : std::uint8_t { kRoot, kBucket, kDirectory, kFile };

/// A name that the kernel knows under a nodeid; there may be millions. Belongs to the mount's
/// shard.
///
/// `parent` is null for the root and for what has lost its name (unlinked, replaced): such an
/// inode lives on for its open handles only.
struct Inode {
  std::uint64_t nodeid = 0;
  std::uint64_t lookups = 0;   // how many the kernel has not forgotten
  std::uint32_t children = 0;  // whose parent this is
  Kind kind = Kind::kFile;
  bool implied = false;       // a directory without a marker object
  bool attrs_unsent = false;  // `attr` is newer than what the cluster has
  bool sending = false;       // a request that sends it, or renames it, is on its way
  std::shared_ptr<Inode> parent;
  std::string name;
  Attr attr;                             // as last seen
  std::unique_ptr<std::string> symlink;  // its target
  std::uint64_t bucket_id = 0;
  std::shared_ptr<ops::OpenFile> open;  // while handles are open
  /// The object of a file that was used lately, as `attr` shows it (Mount::keep_info).
  std::shared_ptr<const ObjectInfo> info;
  Version kernel_pages;  // content that the kernel's page cache may hold

  Lease lease;             // of what is known of the name
  TimePoint kernel_until;  // the kernel may believe it until then

  std::uint64_t changed_at = 0;  // Mount::sequence of this mount's last change to it
  std::uint64_t revoked_at = 0;  // Mount::sequence when a change by others in it was last heard of
  std::int64_t touched_ns = 0;   // a directory: when this mount last changed its entries

  // Of a directory (ops::Delegations).
  std::uint64_t whole = 0;       // the delegation by which all its names are known
  TimePoint refused_until;       // it is not asked for again before
  std::uint32_t names_made = 0;  // since it was asked for last
  std::uint8_t refusals = 0;     // in a row, or recalls

  bool is_directory() const { return kind != Kind::kFile; }
  bool has_name() const { return parent != nullptr || kind == Kind::kRoot; }
};
using InodePtr = std::shared_ptr<Inode>;

/// Where an inode lies in the cluster.
struct Place {
  BucketName bucket;
  std::uint64_t bucket_id = 0;
  std::string path;  // "" is the bucket itself

  ObjectName file() const { return {bucket, path}; }
  ObjectName marker() const { return {bucket, path + "/"}; }
};

/// nodeid <-> inode and (parent, name) <-> inode. nodeids are never used twice.
class InodeTable {
 public:
  static constexpr std::uint64_t kRootId = 1;

  explicit InodeTable(const AttrDefaults& defaults);
  ~InodeTable();

  /// Null when the kernel has forgotten it (or never knew it).
  InodePtr find(std::uint64_t nodeid) const;
  InodePtr child(const Inode& parent, const std::string& name) const;

  /// Notes that there was nothing under a name, until something is put there. Old notes may be
  /// lost.
  void miss(const Inode& parent, const std::string& name, const Lease& lease);
  void unmiss(const Inode& parent, const std::string& name);
  /// Null for a name that was not missed.
  const Lease* missing(const Inode& parent, const std::string& name) const;

  /// A new inode under the name; one that had it before is detached.
  InodePtr add(const InodePtr& parent, const std::string& name, Kind kind);
  /// Takes the name from an inode. No effect on one without.
  void detach(const InodePtr& inode);
  /// Renames; what was at the destination is detached.
  void move(const InodePtr& inode, const InodePtr& parent, const std::string& name);

  void remember(const InodePtr& inode) { ++inode->lookups; }
  void forget(std::uint64_t nodeid, std::uint64_t count);

  /// not_found for an inode that has lost its name; invalid for the root.
  Result<Place> place(const Inode& inode) const;

  std::size_t size() const { return by_id_.size(); }
  template <class F>
  void for_each(F f) const {
    for (const InodePtr& inode : by_id_) f(inode);
  }

 private:
  struct NameKey {
    std::uint64_t parent;
    std::string name;
    bool operator==(const NameKey&) const = default;
  };
  struct NameView {
    std::uint64_t parent;
    std::string_view name;
    bool operator==(const NameView&) const = default;
  };
  static NameView view(const NameKey& key) { return {key.parent, key.name}; }
  static NameView view(const NameView& key) { return key; }
  /// Of one with a parent.
  static NameView view(const Inode* inode) { return {inode->parent->nodeid, inode->name}; }
  static std::uint64_t id(const InodePtr& inode) { return inode->nodeid; }
  static std::uint64_t id(std::uint64_t nodeid) { return nodeid; }
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(const auto& key) const noexcept { return id(key); }
  };
  struct SameId {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return id(a) == id(b); }
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(const auto& key) const {
      return std::hash<std::string_view>()(view(key).name) * 31 + view(key).parent;
    }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return view(a) == view(b); }
  };
  void drop_if_unused(InodePtr inode);
  void unname(Inode& inode);

  std::uint64_t last_id_ = kRootId;
  std::unordered_set<InodePtr, IdHash, SameId> by_id_;
  std::unordered_set<Inode*, NameHash, SameName> by_name_;
  std::unordered_map<NameKey, Lease, NameHash, SameName> missed_;
};

}  // namespace aisfs::fs
