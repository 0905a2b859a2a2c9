// SPDX-License-Identifier: MIT
// Directories that a mount has to itself.
#include "node/target/leases.h"

#include <algorithm>

namespace aisfs::target {
namespace {

/// Both without a '/' at their ends; the bucket itself is "".
bool lies_below(std::string_view path, std::string_view directory) {
  if (directory.empty()) return !path.empty();
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

}  // namespace

Leases::Concerns Leases::below(std::string_view path) {
  return [path](std::string_view directory) { return lies_below(path, directory); };
}

Leases::Concerns Leases::change_of(std::string_view path) {
  return [path](std::string_view directory) {
    return path == directory || lies_below(path, directory);
  };
}

Leases::Concerns Leases::tree(std::string_view path) {
  return [path](std::string_view directory) {
    return path == directory || lies_below(path, directory) || lies_below(directory, path);
  };
}

Leases::Concerns Leases::listing(const ListOptions& options) {
  return [&options](std::string_view directory) {
    const std::string below = directory.empty() ? "" : std::string(directory) + "/";
    const std::string_view prefix = options.prefix;
    if (prefix.starts_with(below)) return true;
    if (!below.starts_with(prefix)) return false;
    // What is rolled up into the directory, or into one above it, shows nothing of it.
    const bool rolled_up = !options.delimiter.empty() &&
                           below.find(options.delimiter, prefix.size()) != std::string::npos;
    return !rolled_up;
  };
}

Status Leases::delegate(const Context& context,
                        std::uint64_t id,
                        BucketId bucket,
                        std::string path) {
  const std::lock_guard lock(mutex_);
  if (believer(context) == nullptr) {
    return Error(Errc::precondition_failed, "only a confirmed session is delegated anything");
  }
  const Concerns concerns = tree(path);
  if (!is_alone({context.session, context.who.user()}, bucket, concerns, clock_.now())) {
    return Error(Errc::busy, "\"" + path + "\" is delegated to somebody else");
  }
  for (const Change* change : under_way_) {
    const bool own = change->session_ == context.session && change->user_ == context.who.user();
    if (own || change->of_node_ || change->name_.bucket != bucket) continue;
    if (change_of(change->name_.path)(path)) {
      return Error(Errc::busy, "\"" + change->name_.path + "\" is being changed");
    }
  }
  std::size_t own = 0;
  Delegation* same = nullptr;
  for (Delegation& held : delegations_) {
    if (held.session != context.session) continue;
    if (held.directory.bucket == bucket && held.directory.path == path) same = &held;
    ++own;
  }
  if (same != nullptr) {
    if (id < same->id) return Error(Errc::busy, "\"" + path + "\" was asked for again");
    same->id = id;
    same->recall = 0;
    return {};
  }
  if (own >= options_.delegations_max) {
    return Error(Errc::overloaded, "the mount has too many directories to itself");
  }
  delegations_.push_back(
      {.session = context.session, .id = id, .directory = {bucket, std::move(path)}});
  count_delegations();
  return {};
}

void Leases::give_back(const Context& context, std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_own(context.session, context.session, context.who.user())) return;
    std::erase_if(delegations_, [&](const Delegation& held) {
      return held.session == context.session && held.id == id;
    });
    count_delegations();
  }
  polled_.notify();
}

bool Leases::is_alone(const Requester& own,
                      BucketId bucket,
                      const Concerns& concerns,
                      TimePoint now) {
  sweep(now);
  bool alone = true;
  std::erase_if(delegations_, [&](Delegation& held) {
    const wire::ChangedName& directory = held.directory;
    if (directory.bucket != bucket || is_own(held.session, own.session, own.user)) return false;
    if (!concerns(directory.path)) return false;
    Session& session = sessions_.at(held.session);
    if (held.recall == 0) {
      Event recall{.kind = Event::Kind::kRecall, .name = directory, .id = held.id};
      add_event(session, std::move(recall));
      held.recall = session.last;
      held.recalled_at = now;
    }
    // What a mount that has heard of it does not manage to send in time, it loses.
    const bool late = now - held.recalled_at > wire::kLeaseLength;
    if (late && session.heard >= held.recall) return true;
    alone = false;
    return false;
  });
  count_delegations();
  return alone;
}

Task<Status> Leases::recall(Context context, BucketId bucket, Concerns concerns) {
  const bool of_node = context.who.kind() == auth::Identity::Kind::kNode;
  if (delegated_ == 0 || of_node) co_return Status{};
  Requester requester{context.session, context.who.user()};
  co_return co_await wait_alone(std::move(requester), bucket, std::move(concerns),
                                context.deadline);
}

bool Leases::is_delegated(const Context& context, BucketId bucket, std::string_view path) {
  if (delegated_ == 0) return false;
  const std::lock_guard lock(mutex_);
  for (const Delegation& held : delegations_) {
    if (held.directory.bucket != bucket || !lies_below(path, held.directory.path)) continue;
    if (!is_own(held.session, context.session, context.who.user())) return true;
  }
  return false;
}

bool Leases::has(const Context& context, BucketId bucket, std::string_view directory) {
  if (delegated_ == 0 || context.session == 0) return false;
  const std::lock_guard lock(mutex_);
  return std::any_of(delegations_.begin(), delegations_.end(), [&](const Delegation& held) {
    return held.directory.bucket == bucket && change_of(directory)(held.directory.path) &&
           is_own(held.session, context.session, context.who.user());
  });
}

void Leases::drop_delegations(std::uint64_t session) {
  std::erase_if(delegations_, [&](const Delegation& held) { return held.session == session; });
  count_delegations();
}

}  // namespace aisfs::target
