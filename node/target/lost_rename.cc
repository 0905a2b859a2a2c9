// SPDX-License-Identifier: MIT
#include "node/target/lost_rename.h"

#include <algorithm>

#include "common/placement/hrw.h"

namespace aisfs::target {
namespace {

Result<std::string> owner_now(const LostRename& rename) {
  const NodeInfo* owner = placement::owner_of(*rename.map, rename.to());
  if (owner == nullptr) {
    return Error(Errc::stale_map, rename.to().display() + " has no owner at the moment");
  }
  return owner->id;
}

/// Whether the name was removed after the rename was decided. After its owner was asked for it, so
/// that it is at home.
Task<Result<bool>> was_removed(const LostRename& rename, Context context) {
  CO_TRY(std::string owner, owner_now(rename));
  std::vector<store::NameState> states;
  if (owner == rename.node_id) {
    CO_TRY(states, rename.store.states_of(store::make_key(rename.intent.bucket, rename.to())));
  } else {
    CO_TRY(states, co_await rename.peers.name_states(std::move(context), std::move(owner),
                                                     rename.bucket, rename.intent.destination));
  }
  co_return std::ranges::any_of(states, [&](const store::NameState& state) {
    return state.key == rename.intent.destination &&
           state.meta_version > rename.intent.taken_version;
  });
}

}  // namespace

bool is_made_by(const RenameIntent& intent, const ObjectInfo& there) {
  return there.ino == intent.ino && there.meta_version >= intent.taken_version;
}

bool has_lost_its_taker(const ClusterMap& map, const RenameIntent& intent) {
  if (intent.prepared_at.empty()) return false;
  const NodeInfo* taker = map.find_node(intent.prepared_at);
  return taker == nullptr || taker->state == NodeState::kAway;
}

Task<Result<bool>> was_published(const LostRename& rename, Context context) {
  const auto there = co_await rename.peers.places().head(context, rename.to(), {});
  if (there) co_return is_made_by(rename.intent, *there);
  if (there.error() != Errc::not_found) co_return there.error();
  if (!rename.intent.taken_version) co_return false;  // what is not known keeps the old name
  co_return co_await was_removed(rename, std::move(context));
}

Result<bool> is_over(const LostRename& rename) {
  const RenameIntent& intent = rename.intent;
  const store::Key source = store::make_key(intent.bucket, {rename.bucket, intent.source});
  TRY(const auto states, rename.store.states_of(source));
  return std::ranges::any_of(states, [&](const store::NameState& state) {
    return state.key == intent.source && state.meta_version >= intent.gone_version;
  });
}

Task<Result<Version>> prepare_again(const LostRename& rename, std::string& owner, Context context) {
  const RenameIntent& intent = rename.intent;
  const store::Key source = store::make_key(intent.bucket, {rename.bucket, intent.source});
  Conditions unchanged{.if_meta_version = intent.source_meta_version};
  CO_TRY(ObjectInfo info, co_await rename.store.head(source, unchanged));
  CO_TRY(store::Reference content,
         co_await rename.store.detach_content(source, std::move(unchanged), Durability::kFull));
  if (intent.posix) info.posix = intent.posix;
  Conditions as_it_is;
  const auto there = co_await rename.peers.places().head(context, rename.to(), {});
  if (!there && there.error() != Errc::not_found) co_return there.error();
  if (there && is_made_by(intent, *there)) {  // by who is back
    co_return Error(Errc::not_ready, rename.to().display() + " is being published");
  }
  if (there && there->meta_version > intent.taken_version) {
    co_return Error(Errc::precondition_failed,
                    rename.to().display() + " was made by somebody else meanwhile");
  }
  if (there) as_it_is.if_meta_version = there->meta_version;
  as_it_is.must_not_exist = !there.ok();
  CO_TRY(owner, owner_now(rename));
  RenamePrepare prepare{.op_id = intent.op_id,
                        .source_owner = rename.node_id,
                        .bucket = rename.bucket,
                        .bucket_id = intent.bucket,
                        .source = intent.source,
                        .destination = intent.destination,
                        .content = std::move(content),
                        .info = std::move(info),
                        .destination_conditions = std::move(as_it_is)};
  auto taken = co_await rename.peers.prepare_rename(std::move(context), owner, std::move(prepare));
  if (!taken && taken.error() == Errc::precondition_failed) {
    // The name has changed since it was asked for: that does not say how the rename has ended.
    co_return Error(Errc::not_ready, taken.error().what());
  }
  co_return taken;
}

}  // namespace aisfs::target
