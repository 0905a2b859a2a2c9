// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "common/async/notifier.h"
#include "common/client/object_api.h"
#include "tests/kit/fake_store.h"

namespace aisfs::tests {

/// The cluster in memory, with the contracts of ObjectApi, AdminApi and MapSource to the letter.
/// Everybody may do everything. Thread-safe; operations run on the caller's executor.
///
///   FakeCluster cluster;
///   cluster.add_bucket("b");
///   cluster.on_call([](auto op, auto&) { return op == "put" ? Error(Errc::no_space) : Status(); });
class FakeCluster final : public ObjectApi, public AdminApi, public MapSource {
 public:
  using Hook = std::function<Status(std::string_view operation, const std::string& key)>;

  // --- for tests -------------------------------------------------------------------------------
  Bucket add_bucket(std::string name);
  /// Whole bytes in and out, past hooks and counts.
  ObjectInfo store(std::string bucket, std::string key, std::string bytes);
  std::optional<std::string> bytes_of(std::string bucket, std::string key) const;
  std::optional<ObjectInfo> info_of(std::string bucket, std::string key) const;
  FakeStore& state() { return store_; }

  /// Asked before every operation, and as "put_end" when a PUT has its bytes; an error is the
  /// operation's result. Any thread may be asked.
  void on_call(Hook hook);
  /// The next change of this name is made, and its answer is lost: timed_out.
  void lose_answer(std::string operation);
  /// From now on whole objects are also in memory for hot(), which asks no hook and is not counted.
  void keep_hot() { keeps_hot_ = true; }
  /// Every operation takes this long (or fails with timed_out at its deadline). Zero: at once.
  void set_latency(Duration latency) { latency_ns_ = latency.count(); }
  /// Operations of this name (or "put_end") wait before they do anything, until let_go();
  /// then on_call's hook is asked again.
  void hold(std::string operation);
  void let_go() { hold(""); }
  /// How often an operation (its name in ObjectApi) was asked for; "" is all of them.
  std::uint64_t calls(const std::string& operation) const;
  std::map<std::string, std::uint64_t> all_calls() const;
  void reset_calls();

  // --- nodes, for tests (fake_nodes.cc) --------------------------------------------------------
  /// A target that is active and has a line in the map; none of the objects is on it.
  void add_target(std::string id);
  void set_state(std::string id, NodeState state);
  /// Names move until settle(); else they have moved as soon as nodes change.
  void move_slowly() { moves_slowly_ = true; }
  void settle();
  void edit_placement(const std::function<void(Placement&)>& edit);
  /// What a target says when it is asked how far it is; nothing has ever moved by default.
  void set_rebalance(std::string id, Result<RebalanceProgress> says);
  /// The same of its scrub; kStart and kStop change what it says.
  void set_scrub(std::string id, ScrubProgress says);
  void set_storage(std::string id, StorageInfo info);
  /// What was asked for, and of which nodes.
  std::vector<std::pair<std::string, MountpathChange>> mountpath_changes() const;
  bool has_ended(const std::string& id) const;

  // --- MapSource -------------------------------------------------------------------------------
  MapSnapshot current() const override { return store_.map(); }
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;

  // --- ObjectApi -------------------------------------------------------------------------------
  Task<Result<ObjectInfo>> head(Context, ObjectName, Conditions) override;
  Task<Result<ObjectStream>> get(Context, ObjectName, GetOptions) override;
  std::optional<HotRead> hot(const Context&, const ObjectName&) override;
  Task<Result<ObjectInfo>> put(
      Context, ObjectName, PutOptions, ExpectedChecksums, BodySource&) override;
  Task<Result<ObjectInfo>> set_attrs(Context, ObjectName, AttrChange, Conditions) override;
  Task<Status> remove(Context, ObjectName, RemoveOptions) override;
  Task<Result<ObjectInfo>> rename(Context, ObjectName, ObjectName, RenameOptions) override;
  Task<Result<ObjectInfo>> copy(Context, ObjectName, ObjectName, CopyOptions) override;
  Task<Result<ObjectInfo>> patch(Context, ObjectName, PatchOptions, BodySource&) override;
  Task<Result<ListPage>> list(Context, BucketName, ListOptions) override;
  Task<Result<LookupReply>> lookup(Context, BucketName, std::string) override;
  Task<Result<ObjectInfo>> make_dir(Context, BucketName, std::string, MakeDirOptions) override;
  Task<Status> remove_dir(Context, BucketName, std::string) override;
  Task<Status> rename_dir(Context, BucketName, std::string, std::string, bool) override;
  Task<Result<Capacity>> capacity(Context) override;
  Task<Status> sync(Context, ObjectName) override;
  Task<Result<std::string>> create_upload(Context, ObjectName, PutOptions) override;
  Task<Result<UploadPart>> put_part(Context,
                                    ObjectName,
                                    std::string,
                                    std::uint32_t,
                                    ExpectedChecksums,
                                    BodySource&) override;
  Task<Result<ObjectInfo>> complete_upload(
      Context, ObjectName, std::string, std::vector<CompletedPart>, Conditions) override;
  Task<Status> abort_upload(Context, ObjectName, std::string) override;
  Task<Result<PartList>> list_parts(
      Context, ObjectName, std::string, std::uint32_t, std::uint32_t) override;
  Task<Result<UploadList>> list_uploads(
      Context, BucketName, std::string, std::string, std::string, std::uint32_t) override;

  // --- AdminApi --------------------------------------------------------------------------------
  Task<Result<std::vector<Bucket>>> list_buckets(Context) override;
  Task<Result<Bucket>> find_bucket(Context, BucketName) override;
  Task<Result<Bucket>> create_bucket(Context, BucketName, BucketProps) override;
  Task<Status> destroy_bucket(Context, BucketName, bool) override;
  Task<Result<Bucket>> set_bucket_props(Context, BucketName, BucketProps) override;
  Task<Result<UserInfo>> create_user(Context, CreateUser) override;
  Task<Result<std::vector<UserInfo>>> list_users(Context) override;
  Task<Status> remove_user(Context, std::string) override;
  Task<Status> change_node(Context, std::string, NodeAction) override;
  Task<Status> shut_down_node(Context, std::string) override;
  Task<Result<RebalanceProgress>> rebalance(Context, std::string) override;
  Task<Result<ScrubProgress>> scrub(Context context, std::string node, ScrubAction action) override;
  Task<Status> change_mountpath(Context, std::string, MountpathChange) override;
  Task<Result<StorageInfo>> storage(Context, std::string) override;
  Task<Result<std::string>> create_token(Context, Duration) override;

 private:
  /// Counts the call, asks the hook, waits the latency.
  Task<Status> enter(std::string operation, std::string key, Deadline deadline);
  /// The same without counting.
  bool is_held(const std::string& operation) const;
  Task<Status> pass(std::string operation, std::string key, Deadline deadline);
  template <class R>
  R answer(std::string_view operation, R result) {
    const std::lock_guard lock(mutex_);
    if (operation != lost_) return result;
    lost_.clear();
    return Error(Errc::timed_out, "nobody has heard the answer");
  }

  FakeStore store_;
  std::atomic<std::int64_t> latency_ns_ = 0;
  std::atomic<bool> keeps_hot_ = false;
  mutable std::mutex mutex_;
  Notifier let_go_;
  Hook hook_;                                   // guarded by mutex_
  std::string held_;                            // guarded by mutex_
  std::string lost_;                            // guarded by mutex_
  std::map<std::string, std::uint64_t> calls_;  // guarded by mutex_
  std::map<std::string, UserInfo> users_;       // guarded by mutex_
  std::set<std::string> ended_;                 // guarded by mutex_, nodes
  std::map<std::string, Result<RebalanceProgress>> says_;  // guarded by mutex_, by node
  std::map<std::string, ScrubProgress> scrubs_;            // guarded by mutex_, by node
  std::map<std::string, StorageInfo> storage_;             // guarded by mutex_, by node
  std::vector<std::pair<std::string, MountpathChange>> mountpath_changes_;  // guarded by mutex_
  std::atomic<bool> moves_slowly_ = false;
};

}  // namespace aisfs::tests
