// SPDX-License-Identifier: MIT
#pragma once
#include "common/disk/posix.h"
#include "node/store/engine.h"
#include "node/store/layout.h"

namespace aisfs::store {

/// A copy goes from a mountpath that another target or mountpath has. The log's record makes a
/// restart look at the name again, and leave out what the log said of it before.
class ForgetMutation final : public Mutation {
 public:
  ForgetMutation(Engine& e, Mountpath& m, const Key& k, const IndexRecord& c)
      : engine(e), mp(m), key(k), copy(c) {}

  /// kKeep: it is still read by others, who may have it open.
  RemovedContent content = RemovedContent::kDrop;

  Status publish() override {
    const PublishIntentRecord nothing{.bucket = key.bucket, .key = key.key()};
    TRY(const auto effect, mp.announce(LogType::kPublishIntent, nothing));
    const std::string dir = dir_of(key.name.bucket);
    if (copy.kind == IndexRecord::Kind::kObject) {
      const std::string path = path_of(dir, key.key(), copy.escaped);
      Status gone = disk::unlink_beneath(mp.root(), path);
      if (!gone && gone.error().code() != Errc::not_found) return gone;
      disk::prune_empty_parents(mp.root(), path, layout::objects_dir(dir));
    }
    mp.index().erase(key.bucket, key.key());
    if (content == RemovedContent::kDrop) engine.drop_replaced(mp, key, copy);
    if (content == RemovedContent::kKeep && copy.kind == IndexRecord::Kind::kObject) {
      remove_side(mp, dir, key.key(), copy.info.meta_version);
    }
    return {};
  }

  Engine& engine;
  Mountpath& mp;

 private:
  const Key& key;
  const IndexRecord& copy;
};

}  // namespace aisfs::store
