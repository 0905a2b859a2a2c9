// SPDX-License-Identifier: MIT
#include "common/client/cluster_client.h"

#include "common/async/offload.h"
#include "common/client/map_follower.h"
#include "common/client/placed_objects.h"
#include "common/client/public_transport.h"
#include "common/client/remote_admin.h"
#include "common/client/remote_call.h"
#include "common/client/remote_jobs.h"
#include "common/client/remote_node.h"
#include "common/client/retry.h"

namespace aisfs {

class ClusterClient::Impl final : public JobsApi {
 public:
  Impl(Runtime& runtime,
       ClusterClientOptions options,
       std::shared_ptr<http::TlsContext> tls,
       asio::any_io_executor ex)
      : runtime_(runtime),
        shard_(Runtime::current_shard()),
        timeout_(options.operation_timeout),
        http_(runtime, {.tls = std::move(tls)}),
        transport_(http_,
                   std::move(options.credentials),
                   options.lease_session,
                   [this] { return maps_.epoch(); }),
        maps_(std::move(ex), transport_, std::move(options.endpoints)),
        objects_(maps_, api_of_node(), timeout_) {}

  ~Impl() override { AISFS_ASSERT(!following_); }  // stop() first

  Task<Status> start() {
    CO_CHECK_OK(co_await maps_.fetch_first(Deadline::after(timeout_)));
    maps_.start();
    following_ = true;
    co_return Status{};
  }

  void stop() {
    if (following_) runtime_.run_on(shard_, maps_.finish());
    following_ = false;
    http_.close();
  }

  MapFollower& maps() { return maps_; }
  PlacedObjects& objects() { return objects_; }
  Transport& transport() { return transport_; }

  // A job is known by its id: to start it twice is to start it once.
  Task<Result<std::string>> start_job(Context context, JobSpec spec, std::string id) override {
    if (id.empty()) id = make_job_id();
    auto step = [spec = std::move(spec), id = std::move(id)](RemoteJobs& there, Context c) {
      return there.start_job(std::move(c), spec, id);
    };
    return at_any<RemoteJobs>(std::move(context), std::move(step));
  }
  Task<Status> stop_jobs(Context context, JobQuery query) override {
    auto step = [query = std::move(query)](RemoteJobs& there, Context c) {
      return there.stop_jobs(std::move(c), query);
    };
    return at_any<RemoteJobs>(std::move(context), std::move(step));
  }
  Task<Result<std::vector<Job>>> list_jobs(Context context, JobQuery query) override {
    auto step = [query = std::move(query)](RemoteJobs& there, Context c) {
      return there.list_jobs(std::move(c), query);
    };
    return at_any<RemoteJobs>(std::move(context), std::move(step));
  }

  /// step(admin, context) at one node after the other until one answers: first the gateways, of
  /// which one that lives is the first.
  template <class Remote = RemoteAdmin, class Step>
  auto at_any(Context context, Step step) -> std::invoke_result_t<Step&, Remote&, Context> {
    if (context.deadline.at() == Deadline().at()) context.deadline = Deadline::after(timeout_);
    Backoff backoff;
    for (std::size_t turn = 0;; ++turn) {
      const MapSnapshot map = maps_.current();
      const auto nodes = in_order(*map, maps_.answered());
      Remote remote(transport_, *nodes[turn % nodes.size()]);
      auto task = step(remote, context);
      auto result = co_await std::move(task);
      if (result.ok() || !may_retry(result.error(), Replay::kSafe)) co_return result;
      const bool whole_round = turn % nodes.size() == nodes.size() - 1;
      if (whole_round && !co_await backoff.wait(context.deadline)) co_return result;
      if (context.deadline.expired()) co_return result;
    }
  }

  /// step(admin, context) at the one node, again when it knows a newer map.
  template <class Step>
  auto at_node(Context context, std::string id, Step step)
      -> std::invoke_result_t<Step&, AdminApi&, Context> {
    if (context.deadline.at() == Deadline().at()) context.deadline = Deadline::after(timeout_);
    Backoff backoff;
    while (true) {
      const MapSnapshot map = maps_.current();
      const NodeInfo* node = map->find_node(id);
      if (node == nullptr) {
        co_return Error(Errc::not_found,
                        "the cluster has no node " + id + "; see ais show cluster");
      }
      RemoteAdmin admin(transport_, *node);
      auto task = step(admin, context);
      auto result = co_await std::move(task);
      const bool stale = !result.ok() && result.error() == Errc::stale_map;
      if (!stale || !co_await backoff.wait(context.deadline)) co_return result;
    }
  }

 private:
  ApiOfNode api_of_node() {
    return [this](const NodeInfo& node) { return std::make_shared<RemoteNode>(transport_, node); };
  }

  static std::vector<const NodeInfo*> in_order(const ClusterMap& map, const Endpoint& alive) {
    std::vector<const NodeInfo*> gateways, rest;
    for (const auto& [id, node] : map.nodes) {
      auto& list = node.governs() ? gateways : rest;
      list.insert(node.public_net == alive ? list.begin() : list.end(), &node);
    }
    gateways.insert(gateways.end(), rest.begin(), rest.end());
    return gateways;
  }

  Runtime& runtime_;
  std::size_t shard_;
  Duration timeout_;
  http::Client http_;
  PublicTransport transport_;
  MapFollower maps_;
  PlacedObjects objects_;
  bool following_ = false;
};

Task<Result<std::unique_ptr<ClusterClient>>> ClusterClient::connect(Runtime& runtime,
                                                                    ClusterClientOptions options) {
  asio::any_io_executor ex = co_await asio::this_coro::executor;
  std::shared_ptr<http::TlsContext> tls;
  if (options.tls) {
    CO_TRY(tls, http::make_client_tls({.ca_file = options.ca_file}));
  }
  auto impl = std::make_unique<Impl>(runtime, std::move(options), std::move(tls), std::move(ex));
  if (auto started = co_await impl->start(); !started) {
    // Its connections are closed on all shards, which no io thread may wait for.
    asio::thread_pool elsewhere(1);
    auto destroy = [&impl] {
      impl.reset();
      return true;
    };
    co_await offload(elsewhere, std::move(destroy));
    co_return std::move(started).error();
  }
  co_return std::unique_ptr<ClusterClient>(new ClusterClient(std::move(impl)));
}

ClusterClient::ClusterClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClusterClient::~ClusterClient() = default;

void ClusterClient::stop() { impl_->stop(); }

JobsApi& ClusterClient::jobs() { return *impl_; }

MapSnapshot ClusterClient::current() const { return impl_->maps().current(); }

Task<Result<MapSnapshot>> ClusterClient::at_least(Epoch epoch, Deadline deadline) {
  return impl_->maps().at_least(epoch, deadline);
}

Task<Result<wire::LeasePollReply>> ClusterClient::poll_leases(NodeInfo target,
                                                              wire::LeasePollRequest request,
                                                              Deadline deadline) {
  Context context{.deadline = deadline};
  return call<wire::LeasePollReply>(impl_->transport(), std::move(target), std::move(context),
                                    std::string(wire::kLeasePollMethod), std::move(request));
}

Task<Status> ClusterClient::delegate(NodeInfo target,
                                     wire::DelegateRequest request,
                                     Deadline deadline) {
  Context context{.deadline = deadline};
  CO_CHECK_OK(co_await call<wire::Nothing>(impl_->transport(), std::move(target),
                                           std::move(context), std::string(wire::kDelegateMethod),
                                           std::move(request)));
  co_return Status{};
}

// --- ObjectApi: PlacedObjects over the wire -----------------------------------------------------

Task<Result<ObjectInfo>> ClusterClient::head(Context c, ObjectName name, Conditions conditions) {
  return impl_->objects().head(std::move(c), std::move(name), std::move(conditions));
}

Task<Result<ObjectStream>> ClusterClient::get(Context c, ObjectName name, GetOptions options) {
  return impl_->objects().get(std::move(c), std::move(name), std::move(options));
}

Task<Result<ObjectInfo>> ClusterClient::put(
    Context c, ObjectName name, PutOptions options, ExpectedChecksums expected, BodySource& body) {
  return impl_->objects().put(std::move(c), std::move(name), std::move(options),
                              std::move(expected), body);
}

Task<Result<ObjectInfo>> ClusterClient::set_attrs(Context c,
                                                  ObjectName name,
                                                  AttrChange change,
                                                  Conditions conditions) {
  return impl_->objects().set_attrs(std::move(c), std::move(name), std::move(change),
                                    std::move(conditions));
}

Task<Status> ClusterClient::remove(Context c, ObjectName name, RemoveOptions options) {
  return impl_->objects().remove(std::move(c), std::move(name), std::move(options));
}

Task<Result<ObjectInfo>> ClusterClient::rename(Context c,
                                               ObjectName from,
                                               ObjectName to,
                                               RenameOptions options) {
  return impl_->objects().rename(std::move(c), std::move(from), std::move(to), std::move(options));
}

Task<Result<ObjectInfo>> ClusterClient::copy(Context c,
                                             ObjectName from,
                                             ObjectName to,
                                             CopyOptions options) {
  return impl_->objects().copy(std::move(c), std::move(from), std::move(to), std::move(options));
}

Task<Result<ObjectInfo>> ClusterClient::patch(Context c,
                                              ObjectName name,
                                              PatchOptions options,
                                              BodySource& body) {
  return impl_->objects().patch(std::move(c), std::move(name), std::move(options), body);
}

Task<Result<ListPage>> ClusterClient::list(Context c, BucketName bucket, ListOptions options) {
  return impl_->objects().list(std::move(c), std::move(bucket), std::move(options));
}

Task<Result<LookupReply>> ClusterClient::lookup(Context c, BucketName bucket, std::string path) {
  return impl_->objects().lookup(std::move(c), std::move(bucket), std::move(path));
}

Task<Result<ObjectInfo>> ClusterClient::make_dir(Context c,
                                                 BucketName bucket,
                                                 std::string path,
                                                 MakeDirOptions options) {
  return impl_->objects().make_dir(std::move(c), std::move(bucket), std::move(path),
                                   std::move(options));
}

Task<Status> ClusterClient::remove_dir(Context c, BucketName bucket, std::string path) {
  return impl_->objects().remove_dir(std::move(c), std::move(bucket), std::move(path));
}

Task<Status> ClusterClient::rename_dir(
    Context c, BucketName bucket, std::string from, std::string to, bool no_replace) {
  return impl_->objects().rename_dir(std::move(c), std::move(bucket), std::move(from),
                                     std::move(to), no_replace);
}

Task<Result<Capacity>> ClusterClient::capacity(Context c) {
  return impl_->objects().capacity(std::move(c));
}
Task<Status> ClusterClient::sync(Context c, ObjectName name) {
  return impl_->objects().sync(std::move(c), std::move(name));
}

Task<Result<std::string>> ClusterClient::create_upload(Context c,
                                                       ObjectName name,
                                                       PutOptions options) {
  return impl_->objects().create_upload(std::move(c), std::move(name), std::move(options));
}

Task<Result<UploadPart>> ClusterClient::put_part(Context c,
                                                 ObjectName name,
                                                 std::string upload,
                                                 std::uint32_t number,
                                                 ExpectedChecksums expected,
                                                 BodySource& body) {
  return impl_->objects().put_part(std::move(c), std::move(name), std::move(upload), number,
                                   std::move(expected), body);
}

Task<Result<ObjectInfo>> ClusterClient::complete_upload(Context c,
                                                        ObjectName name,
                                                        std::string upload,
                                                        std::vector<CompletedPart> parts,
                                                        Conditions conditions) {
  return impl_->objects().complete_upload(std::move(c), std::move(name), std::move(upload),
                                          std::move(parts), std::move(conditions));
}

Task<Status> ClusterClient::abort_upload(Context c, ObjectName name, std::string upload) {
  return impl_->objects().abort_upload(std::move(c), std::move(name), std::move(upload));
}

Task<Result<PartList>> ClusterClient::list_parts(
    Context c, ObjectName name, std::string upload, std::uint32_t after, std::uint32_t limit) {
  return impl_->objects().list_parts(std::move(c), std::move(name), std::move(upload), after,
                                     limit);
}

Task<Result<UploadList>> ClusterClient::list_uploads(Context c,
                                                     BucketName bucket,
                                                     std::string prefix,
                                                     std::string after_key,
                                                     std::string after_id,
                                                     std::uint32_t limit) {
  return impl_->objects().list_uploads(std::move(c), std::move(bucket), std::move(prefix),
                                       std::move(after_key), std::move(after_id), limit);
}

// --- AdminApi: any node answers -----------------------------------------------------------------

Task<Result<std::vector<Bucket>>> ClusterClient::list_buckets(Context context) {
  auto step = [](AdminApi& admin, const Context& c) { return admin.list_buckets(c); };
  return impl_->at_any(std::move(context), step);
}

Task<Result<Bucket>> ClusterClient::find_bucket(Context context, BucketName name) {
  auto step = [name = std::move(name)](AdminApi& admin, const Context& c) {
    return admin.find_bucket(c, name);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Result<Bucket>> ClusterClient::create_bucket(Context context,
                                                  BucketName name,
                                                  BucketProps props) {
  auto step = [name = std::move(name), props](AdminApi& admin, const Context& c) {
    return admin.create_bucket(c, name, props);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Status> ClusterClient::destroy_bucket(Context context, BucketName name, bool force) {
  auto step = [name = std::move(name), force](AdminApi& admin, const Context& c) {
    return admin.destroy_bucket(c, name, force);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Result<Bucket>> ClusterClient::set_bucket_props(Context context,
                                                     BucketName name,
                                                     BucketProps props) {
  auto step = [name = std::move(name), props](AdminApi& admin, const Context& c) {
    return admin.set_bucket_props(c, name, props);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Result<UserInfo>> ClusterClient::create_user(Context context, CreateUser user) {
  auto step = [user = std::move(user)](AdminApi& admin, const Context& c) {
    return admin.create_user(c, user);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Result<std::vector<UserInfo>>> ClusterClient::list_users(Context context) {
  auto step = [](AdminApi& admin, const Context& c) { return admin.list_users(c); };
  return impl_->at_any(std::move(context), step);
}

Task<Status> ClusterClient::remove_user(Context context, std::string id) {
  auto step = [id = std::move(id)](AdminApi& admin, const Context& c) {
    return admin.remove_user(c, id);
  };
  return impl_->at_any(std::move(context), std::move(step));
}

Task<Status> ClusterClient::change_node(Context context, std::string node, NodeAction action) {
  auto step = [node = std::move(node), action](AdminApi& admin, const Context& c) {
    return admin.change_node(c, node, action);
  };
  return impl_->at_any(std::move(context), step);
}

Task<Status> ClusterClient::shut_down_node(Context context, std::string node) {
  auto step = [node](AdminApi& admin, const Context& c) { return admin.shut_down_node(c, node); };
  return impl_->at_node(std::move(context), node, std::move(step));
}

Task<Result<RebalanceProgress>> ClusterClient::rebalance(Context context, std::string node) {
  auto step = [node](AdminApi& admin, const Context& c) { return admin.rebalance(c, node); };
  return impl_->at_node(std::move(context), node, std::move(step));
}

Task<Result<ScrubProgress>> ClusterClient::scrub(Context context,
                                                 std::string node,
                                                 ScrubAction action) {
  auto step = [node, action](AdminApi& admin, const Context& c) {
    return admin.scrub(c, node, action);
  };
  return impl_->at_node(std::move(context), node, std::move(step));
}

Task<Status> ClusterClient::change_mountpath(Context context,
                                             std::string node,
                                             MountpathChange change) {
  auto step = [node, change](AdminApi& admin, const Context& c) {
    return admin.change_mountpath(c, node, change);
  };
  return impl_->at_node(std::move(context), node, std::move(step));
}

Task<Result<StorageInfo>> ClusterClient::storage(Context context, std::string node) {
  auto step = [node](AdminApi& admin, const Context& c) { return admin.storage(c, node); };
  return impl_->at_node(std::move(context), node, std::move(step));
}

Task<Result<std::string>> ClusterClient::create_token(Context context, Duration lifetime) {
  auto step = [lifetime](AdminApi& admin, const Context& c) {
    return admin.create_token(c, lifetime);
  };
  return impl_->at_any(std::move(context), step);
}

}  // namespace aisfs
