// SPDX-License-Identifier: MIT
#include "tests/sim/mutations.h"

#include <algorithm>
#include <map>

#include "node/store/conditions.h"
#include "node/store/intent_log.h"
#include "node/store/roll_forward.h"
#include "node/store/store.h"
#include "node/store/version_clock.h"
#include "node/target/handover.h"
#include "node/target/replicator.h"
#include "tests/sim/simulation.h"

namespace aisfs::tests::sim {
namespace {

std::string_view g_mutation;

bool is(std::string_view name) { return g_mutation == name; }

struct Mutation {
  const char* troubles;       // null: none in which it shows soon
  void (*begin)() = nullptr;  // what is to be done, unless the functions below do it
};

const std::map<std::string, Mutation, std::less<>>& table() {
  static const std::map<std::string, Mutation, std::less<>> all = {
      // No sync does anything.
      {"nothing-synced", {"crash", [] { Disk::current()->set_lying(Disk::Lying::kAll); }}},
      // The barrier before files are published does nothing.
      {"files-not-synced",
       {"crash", [] { Disk::current()->set_lying(Disk::Lying::kFileSystems); }}},
      // Nor does the one of PUTs whose content is in the intent log.
      {"intents-not-synced", {"crash"}},
      // After a loss of power the intents are not carried out.
      {"no-roll-forward", {"crash"}},
      // Versions follow the wall clock, also back.
      {"wall-clock-versions", {"crash,clock"}},
      // A change is acknowledged before the other holders have it.
      {"no-copies", {"crash"}},
      // What they do not have yet is read. Takes hundreds of lives, with luck.
      {"read-before-copies", {nullptr}},
      // A new owner does not ask who held the name before.
      {"no-handover", {"members"}},
      // It does, but takes no tombstones over.
      {"no-tombstones", {"members"}},
      // What others still have of a name may come after a change of it.
      {"leftovers-stay", {"members"}},
      // The clock of leases stops when a target does, or when links are cut.
      {"lease-for-ever", {"partition", [] { Scheduler::current()->let_boot_clocks_stop("t"); }}},
      // If-Match and the like hold for whatever is there.
      {"no-conditions", {"none"}},
      // What is sent again is done again. Dozens of lives of link and slow, with luck.
      {"repeats-undo", {nullptr}},
  };
  return all;
}

}  // namespace

void begin_mutation(std::string_view name) {
  const auto found = table().find(name);
  if (found == table().end()) return;
  g_mutation = found->first;
  if (found->second.begin != nullptr) found->second.begin();
}

std::vector<std::string> all_mutations() {
  std::vector<std::string> names;
  for (const auto& entry : table()) {
    if (entry.second.troubles != nullptr) names.push_back(entry.first);
  }
  return names;
}

bool is_mutation(std::string_view name) { return table().contains(name); }

std::string troubles_for(std::string_view mutation) {
  return table().find(mutation)->second.troubles;
}

namespace {

template <class T>
Task<T> at_once(T value) {
  co_return value;
}

}  // namespace

// --- in place of functions of the product --------------------------------------------------------

#define AISFS_SIM_WRAP(result, symbol, real, wrap, ...) \
  result real(__VA_ARGS__) __asm__("__real_" #symbol);  \
  result wrap(__VA_ARGS__) __asm__("__wrap_" #symbol);  \
  result wrap(__VA_ARGS__)

AISFS_SIM_WRAP(Status,
               _ZN5aisfs5store9IntentLog4syncEv,
               real_intent_sync,
               wrap_intent_sync,
               store::IntentLog* self) {
  return is("intents-not-synced") ? Status() : real_intent_sync(self);
}

AISFS_SIM_WRAP(
    Result<std::uint64_t>,
    _ZN5aisfs5store12roll_forwardERNS0_9MountpathERKNS0_9IntentSumERKNS0_16RollForwardRulesE,
    real_roll_forward,
    wrap_roll_forward,
    store::Mountpath& mountpath,
    const store::IntentSum& sum,
    const store::RollForwardRules& rules) {
  if (is("no-roll-forward")) return std::uint64_t{0};
  return real_roll_forward(mountpath, sum, rules);
}

AISFS_SIM_WRAP(Result<Version>,
               _ZN5aisfs5store12VersionClock4nextEv,
               real_next_version,
               wrap_next_version,
               store::VersionClock* self) {
  Result<Version> version = real_next_version(self);
  if (version && is("wall-clock-versions")) {
    const Nanos wall = Scheduler::current()->wall(*Scheduler::self()->process);
    version->hlc = static_cast<std::uint64_t>(wall / kMilli) << 20;
  }
  return version;
}

AISFS_SIM_WRAP(
    Task<Status>,
    _ZN5aisfs6target10Replicator9replicateENS_7ContextENS_5store3KeyENS1_4KindEPNS0_11CopyStreamsE,
    real_replicate,
    wrap_replicate,
    target::Replicator* self,
    Context context,
    store::Key key,
    target::Replicator::Kind kind,
    target::CopyStreams* streams) {
  if (is("no-copies")) return at_once(Status());
  return real_replicate(self, std::move(context), std::move(key), kind, streams);
}

AISFS_SIM_WRAP(Task<Status>,
               _ZN5aisfs6target10Replicator4seenENS_7ContextENS_5store3KeyE,
               real_seen,
               wrap_seen,
               target::Replicator* self,
               Context context,
               store::Key key) {
  if (is("read-before-copies")) return at_once(Status());
  return real_seen(self, std::move(context), std::move(key));
}

AISFS_SIM_WRAP(bool,
               _ZNK5aisfs6target10Replicator13is_replicatedERKNS_5store3KeyE,
               real_is_replicated,
               wrap_is_replicated,
               const target::Replicator* self,
               const store::Key& key) {
  return is("read-before-copies") || real_is_replicated(self, key);
}

AISFS_SIM_WRAP(
    Task<Status>,
    _ZN5aisfs6target8Handover10bring_homeENS_7ContextESt10shared_ptrIKNS_10ClusterMapEERKNS_6BucketERKNS_5store3KeyENS1_4NeedEPNS0_8Courtesy4TurnE,
    real_bring_home,
    wrap_bring_home,
    target::Handover* self,
    Context context,
    MapSnapshot map,
    const Bucket& bucket,
    const store::Key& key,
    target::Handover::Need need,
    target::Courtesy::Turn* turn) {
  if (is("no-handover")) return at_once(Status());
  return real_bring_home(self, std::move(context), std::move(map), bucket, key, need, turn);
}

AISFS_SIM_WRAP(bool,
               _ZNK5aisfs6target8Handover7is_homeERKNS_10ClusterMapERKNS_6BucketERKNS_5store3KeyE,
               real_is_home,
               wrap_is_home,
               const target::Handover* self,
               const ClusterMap& map,
               const Bucket& bucket,
               const store::Key& key) {
  return is("no-handover") || real_is_home(self, map, bucket, key);
}

AISFS_SIM_WRAP(Task<Result<bool>>,
               _ZN5aisfs5store5Store15adopt_tombstoneENS0_3KeyENS_7VersionENS_10DurabilityE,
               real_adopt_tombstone,
               wrap_adopt_tombstone,
               store::Store* self,
               store::Key key,
               Version version,
               Durability level) {
  if (is("no-tombstones")) return at_once(Result<bool>(true));
  return real_adopt_tombstone(self, std::move(key), version, level);
}

AISFS_SIM_WRAP(
    Task<Status>,
    _ZN5aisfs6target8Handover14drop_leftoversENS_7ContextERKNS_10ClusterMapERKNS_5store3KeyE,
    real_drop_leftovers,
    wrap_drop_leftovers,
    target::Handover* self,
    Context context,
    const ClusterMap& map,
    const store::Key& key) {
  if (is("leftovers-stay")) return at_once(Status());
  return real_drop_leftovers(self, std::move(context), map, key);
}

AISFS_SIM_WRAP(Status,
               _ZN5aisfs5store16check_conditionsERKNS_10ConditionsEPKNS_10ObjectInfoENS0_6AccessE,
               real_check_conditions,
               wrap_check_conditions,
               const Conditions& conditions,
               const ObjectInfo* there,
               store::Access access) {
  if (is("no-conditions") && access == store::Access::kWrite) return {};
  return real_check_conditions(conditions, there, access);
}

AISFS_SIM_WRAP(bool,
               _ZN5aisfs5store10is_too_newERKNS_10ConditionsENS_7VersionE,
               real_is_too_new,
               wrap_is_too_new,
               const Conditions& conditions,
               Version there) {
  return !is("repeats-undo") && real_is_too_new(conditions, there);
}

}  // namespace aisfs::tests::sim
