// SPDX-License-Identifier: MIT
#include "node/daemon.h"

#include <csignal>

#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "common/auth/seal.h"
#include "common/auth/verifier.h"
#include "common/http/client.h"
#include "common/http/server.h"
#include "common/obs/log.h"
#include "common/wire/leases.h"
#include "node/bootstrap.h"
#include "node/control/control_handler.h"
#include "node/control/control_transport.h"
#include "node/control/governor.h"
#include "node/control/map_file.h"
#include "node/control/membership.h"
#include "node/control/small_file.h"
#include "node/data_folder.h"
#include "node/disks.h"
#include "node/front/cluster/data_front.h"
#include "node/front/cluster/data_transport.h"
#include "node/front/cluster/router.h"
#include "node/front/native/native_front.h"
#include "node/front/native/ready.h"
#include "node/front/s3/s3_front.h"
#include "node/gateway_store.h"
#include "node/node_jobs.h"
#include "node/tls_settings.h"

namespace aisfs::node {
namespace {

// Changes that were let in by an older map take milliseconds; one that takes longer fails when it
// publishes.
constexpr Duration kOlderChangesMax = std::chrono::seconds(2);
constexpr Duration kLeaseSlack = std::chrono::seconds(1);
// On their way to several targets at once, more falls out of the CPU's cache: slices of 64 MiB
// objects took a sixth more of its time. No more than twice as much a round trip passes a
// connection.
constexpr int kPeerSendBytes = 512 * 1024;
// A target sends slices as fast as whoever writes the object.
constexpr Duration kPeerBodyGrace = std::chrono::minutes(10);

using control::ControlPlane;

NodeRole role_of(const NodeConfig& config) {
  return static_cast<NodeRole>(static_cast<int>(config.role()) + 1);
}

/// They shuffle what the threads of disks read, write and hash.
std::size_t background_threads(const NodeConfig& config) {
  if (role_of(config) == NodeRole::kGateway) return 0;
  return (static_cast<std::size_t>(config.threads()) + 3) / 4;
}

/// The parts of a node in the order in which they need each other.
class Node {
 public:
  Node(const NodeConfig& config, NodeTls tls, auth::ClusterKey key, control::NodeIdentity identity)
      : config_(config),
        tls_(std::move(tls)),
        identity_(std::move(identity)),
        runtime_(static_cast<std::size_t>(config.threads()), background_threads(config)),
        http_(runtime_, {.tls = tls_.peers, .send_buffer_bytes = kPeerSendBytes}),
        fencing_(clock_),
        peers_(http_, clock_, key, identity_.id, [this] { return maps_.current()->epoch; }),
        data_peers_(http_, maps_, key, identity_.id),
        key_(key),
        verifier_(key, [this] { return maps_.current(); }, clock_, {}) {}

  Status run() {
    CHECK_OK(open_store());
    if (const auto map = control::MapFile::load(config_.data_dir() + "/cluster.map")) {
      static_cast<void>(maps_.install(*map));
    }
    make_admin();
    make_servers();
    runtime_.start();
    auto started = listen();
    if (started) started = runtime_.run_on(0, start(*this));
    if (started) started = open_fronts();
    if (started) started = publish();
    if (started) wait_for_signal();
    stop();
    return started;
  }

 private:
  Status open_store() {
    for (const auto& text : config_.join()) {
      auto endpoint = Endpoint::parse(text);
      if (!endpoint) return std::move(endpoint).error().context("join");
      join_.push_back(*std::move(endpoint));
    }
    if (role_of(config_) == NodeRole::kTarget) return {};
    TRY(store_, GatewayStore::open(config_, clock_, runtime_, peers_,
                                   [this] { return store_candidates(); }));
    control::ControlOptions options;
    options.in_force = [this](Epoch epoch) { return in_force(*this, epoch); };
    plane_ = std::make_unique<ControlPlane>(store_->meta(), clock_, key_, peers_, maps_,
                                            identity_.id, std::move(options));
    return {};
  }

  /// The gateway that the map names, and those of the configuration: it may have moved.
  std::vector<NodeInfo> store_candidates() const {
    std::vector<NodeInfo> nodes;
    const MapSnapshot map = maps_.current();
    if (const auto* node = map->find_node(map->store_node)) nodes.push_back(*node);
    for (const auto& endpoint : join_) nodes.push_back(control::node_at(endpoint));
    return nodes;
  }

  /// A map that the node was told counts when no change goes on that an older one let in.
  static Task<void> in_force(Node& self, Epoch epoch) {
    if (!self.serving() || !self.disks_) co_return;
    self.disks_->see_epoch(epoch);
    const Deadline deadline = Deadline::after(kOlderChangesMax);
    (void)co_await self.disks_->target().wait_for_older_changes(epoch, deadline);
    const Deadline leases = Deadline::after(wire::kLeaseLength + kLeaseSlack);
    (void)co_await self.disks_->target().leases().wait_for_epoch(epoch, leases);
    // Of a name that gets another target no mount may know more than the cluster.
    const MapSnapshot map = self.maps_.current();
    if (map->placement.next.empty()) co_return;
    const Status recalled = co_await self.disks_->target().recall_all(*map, leases);
    if (!recalled) LOG_WARN("directories stay delegated", "why", recalled.error().what());
  }

  Task<Result<bool>> bucket_is_empty(Context context, BucketName bucket) {
    if (!serving()) co_return starting();
    ListOptions one;
    one.limit = 1;
    one.versions = true;
    CO_TRY(const auto page,
           co_await router_->anywhere().list(std::move(context), std::move(bucket), one));
    co_return page.entries.empty();
  }

  void make_admin() {
    admin_ = std::make_unique<control::AdminService>(control::AdminServiceDeps{
        maps_, clock_, key_, peers_, plane_.get(),
        [this](Context c, BucketName b) { return bucket_is_empty(std::move(c), std::move(b)); },
        identity_.id,
        [this] { return of_disks([](Disks& d) { return d.rebalancer().progress(); }); },
        [this](ScrubAction action) {
          return of_disks([action](Disks& d) { return d.scrub(action); });
        },
        [this] { return of_disks([](Disks& d) { return d.storage(); }); },
        [this](MountpathChange change) { return change_mountpath(*this, std::move(change)); },
        // To the process: wait_for_signal() gets it.
        [] { ::kill(::getpid(), SIGTERM); }});
    jobs_ = std::make_unique<NodeJobs>(
        NodeJobs::Deps{.node_id = identity_.id,
                       .maps = maps_,
                       .clock = clock_,
                       .peers = peers_,
                       .admin = *admin_,
                       .plane = plane_.get(),
                       .bucket_is_empty = [this](Context c, BucketName b) {
                         return bucket_is_empty(std::move(c), std::move(b));
                       }});
  }

  /// What its disks say; unsupported when it stores nothing.
  template <class Ask>
  auto of_disks(Ask ask) const -> Result<std::invoke_result_t<Ask&, Disks&>> {
    if (!serving()) return starting();
    if (disks_) return ask(*disks_);
    return Error(Errc::unsupported, "node " + identity_.id + " stores nothing");
  }

  static Task<Status> change_mountpath(Node& self, MountpathChange change) {
    CO_TRY(Disks* const disks, self.of_disks([](Disks& all) { return &all; }));
    co_return co_await disks->change_mountpath(std::move(change));
  }

  /// The listeners are there before the node has joined, because the cluster must know their
  /// addresses; objects are served once open_fronts has run.
  void make_servers() {
    control::ControlHandlerDeps deps{maps_,
                                     verifier_,
                                     *admin_,
                                     plane_.get(),
                                     store_ ? store_->embedded() : nullptr,
                                     [this](Epoch epoch) { return in_force(*this, epoch); },
                                     identity_.id,
                                     plane_ ? &jobs_->service() : nullptr};
    add_server({.name = "public", .tls = tls_.public_net}, when_serving(&Fronts::public_net),
               ready_when_serving());
    add_server({.name = "s3", .tls = tls_.s3}, when_serving(&Fronts::s3));
    add_server({.name = "control", .tls = tls_.internal}, control::make_control_handler(deps));
    add_server(
        {.name = "data", .tls = tls_.internal, .body_rate_grace = kPeerBodyGrace, .sorts = true},
        when_serving(&Fronts::data));
  }

  struct Fronts {
    http::Handler public_net, s3, data;
    http::ReadyHandler public_ready;
  };
  bool serving() const { return serving_.load(std::memory_order_acquire); }
  static Error starting() { return Error(Errc::not_ready, "this node is starting"); }

  http::Handler when_serving(http::Handler Fronts::* front) {
    return [this, front](http::Exchange& exchange) { return serve(*this, front, exchange); };
  }
  static Task<void> serve(Node& self, http::Handler Fronts::* front, http::Exchange& exchange) {
    Status may = self.serving() ? Status{} : starting();
    if (may) may = self.fencing_.check();
    return may ? (self.fronts_.*front)(exchange) : refuse(exchange, std::move(may).error());
  }
  http::ReadyHandler ready_when_serving() {
    return [this](const http::RequestHead& head, const http::Target& target) {
      return serving() && fencing_.check() ? fronts_.public_ready(head, target) : std::nullopt;
    };
  }
  static Task<void> refuse(http::Exchange& exchange, Error why) {
    http::ResponseHead head;
    head.status = info(why.code()).http;
    head.fields.set("Retry-After", "1");
    std::string text = why.what() + "\n";
    static_cast<void>(co_await exchange.respond(std::move(head), std::move(text)));
  }

  /// Opens the disks of a target and makes the fronts. Blocks while the store recovers.
  Status open_fronts() {
    target::LocalTarget* target = nullptr;
    if (role_of(config_) != NodeRole::kGateway) {
      TRY(disks_, Disks::open(config_, joined_, data_peers_, peers_, maps_, clock_,
                              [this] { return fencing_.check(); }));
      target = &disks_->target();
    }
    router_ = std::make_unique<cluster::Router>(cluster::RouterDeps{
        .node_id = identity_.id, .maps = maps_, .local = target, .peers = data_peers_});
    if (disks_) disks_->attach(router_->anywhere(), router_->places());
    make_fronts(target);
    serving_.store(true, std::memory_order_release);
    if (!disks_) return {};
    runtime_.run_on(0, spawn_disks(*this));
    runtime_.run_on(runtime_.size(), spawn_background(*this));
    return {};
  }
  static Task<void> spawn_disks(Node& self) {
    self.scope_->spawn(self.disks_->run());
    self.scope_->spawn(self.jobs_->work(self.disks_->for_jobs(self.router_->anywhere())));
    co_return;
  }
  static Task<void> spawn_background(Node& self) {
    self.background_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
    self.background_->spawn(self.disks_->run_background());
  }

  void make_fronts(target::LocalTarget* target) {
    const native::NativeFrontDeps native_deps{router_->anywhere(),
                                              router_->here(),
                                              *admin_,
                                              maps_,
                                              verifier_,
                                              identity_.id,
                                              clock_.unix_ns(),
                                              target,
                                              tls_.internal.has_value(),
                                              &jobs_->service()};
    const auto map = [this] { return maps_.current(); };
    front::s3::S3FrontDeps s3_deps{router_->anywhere(), *admin_, verifier_, map, "", {}};
    fronts_.s3 = front::s3::make_s3_handler(s3_deps);
    s3_deps.prefix = "/s3";
    fronts_.public_net =
        by_path(native::make_native_handler(native_deps), front::s3::make_s3_handler(s3_deps));
    fronts_.public_ready = native::make_native_ready_handler(native_deps);
    fronts_.data = cluster::make_data_handler(native_deps, target);
  }
  /// "/s3" and what is below it is S3's, the rest is the native API's.
  static http::Handler by_path(http::Handler native, http::Handler s3) {
    return [native = std::move(native), s3 = std::move(s3)](http::Exchange& exchange) {
      const std::string& path = exchange.target().path;
      return path == "/s3" || path.starts_with("/s3/") ? s3(exchange) : native(exchange);
    };
  }

  /// No new requests, those in flight finish, background work ends, the disks close.
  void stop() {
    maps_.close();  // ends the long polls that wait for a map, or for an event of the store
    if (store_ && store_->embedded() != nullptr) store_->embedded()->close();
    if (disks_) disks_->target().leases().close();
    for (auto& server : servers_) server->stop(config_.stop_grace());
    if (background_) runtime_.run_on(runtime_.size(), end(*background_));
    if (scope_) runtime_.run_on(0, end(*scope_));
    http_.close();
    if (store_) store_->close();
    runtime_.stop();
    if (disks_) disks_->close();
  }

  void add_server(http::ServerOptions options,
                  http::Handler handler,
                  http::ReadyHandler ready = {}) {
    servers_.push_back(std::make_unique<http::Server>(runtime_, std::move(options),
                                                      std::move(handler), std::move(ready)));
  }

  Status listen() {
    const std::int64_t ports[] = {config_.net.public_port(), config_.net.s3_port(),
                                  config_.net.control_port(), config_.net.data_port()};
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      CHECK_OK(servers_[i]->listen({config_.net.host(), static_cast<std::uint16_t>(ports[i])}));
    }
    return {};
  }

  NodeInfo describe() const {
    NodeInfo node;
    node.id = identity_.id;
    node.role = role_of(config_);
    node.public_net = servers_[0]->endpoint();
    node.s3_net = servers_[1]->endpoint();
    node.control_net = servers_[2]->endpoint();
    node.data_net = servers_[3]->endpoint();
    node.host_id = control::host_id();
    return node;
  }

  static Task<Status> start(Node& self) { co_return co_await self.begin(); }
  Task<Status> begin() {
    scope_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
    if (store_ && store_->embedded() != nullptr) scope_->spawn(store_->embedded()->run(clock_));
    if (store_ && store_->may_prepare()) {
      CO_CHECK_OK(co_await prepare_cluster(
          {config_, identity_, store_->embedded() != nullptr, *plane_, key_}));
    }
    control::MembershipOptions options;
    options.data_dir = config_.data_dir();
    options.gateways = join_;
    options.state = [this] { return describe_state(); };
    const bool stores = role_of(config_) != NodeRole::kGateway;
    if (stores) options.disks = [this] { return age_of_disks(config_); };
    membership_ =
        std::make_unique<control::Membership>(identity_, describe(), std::move(options), key_,
                                              clock_, peers_, maps_, fencing_, plane_.get());
    CO_TRY(joined_, co_await membership_->join(Deadline::after(config_.join_timeout())));
    scope_->spawn(membership_->keep_alive());
    scope_->spawn(membership_->save_maps());
    scope_->spawn(plane_ ? plane_->follow() : membership_->follow_map());
    if (plane_) {
      governor_ =
          std::make_unique<control::Governor>(*plane_, clock_, control::Governor::Options{});
      scope_->spawn(governor_->run());
      scope_->spawn(jobs_->keep());
    }
    const auto map = co_await maps_.at_least(1, Deadline::after(config_.join_timeout()));
    if (!map) co_return map.error();
    LOG_INFO("joined", "node", joined_.id, "incarnation", joined_.incarnation);
    co_return Status{};
  }

  wire::AliveRecord describe_state() const {
    if (!serving() || !disks_) return {};
    return {.settled = disks_->rebalancer().settled(),
            .compared = disks_->rebalancer().compared(),
            .ceiling = disks_->ceiling(),
            .failing = disks_->failing()};
  }

  Status publish() {
    if (config_.ready_file().empty()) return {};
    const NodeInfo node = describe();
    return control::write_private_file(
        config_.ready_file(), "node=" + node.id + "\npublic=" + node.public_net.to_string() +
                                  "\ns3=" + node.s3_net.to_string() +
                                  "\ncontrol=" + node.control_net.to_string() +
                                  "\ndata=" + node.data_net.to_string() + "\n");
  }

  static void wait_for_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    int got = 0;
    ::sigwait(&signals, &got);
    LOG_INFO("stopping", "signal", got);
  }

  static Task<void> end(TaskScope& scope) {
    scope.cancel();
    try {
      co_await scope.join();
    } catch (const std::exception& e) {
      LOG_DEBUG("background work ended", "why", e.what());  // cancelled in a wait
    }
  }

  const NodeConfig& config_;
  const NodeTls tls_;
  const control::NodeIdentity identity_;
  RealClock clock_;
  Runtime runtime_;
  http::Client http_;
  control::NodeMapSource maps_;
  control::Fencing fencing_;
  control::ControlTransport peers_;
  cluster::DataTransport data_peers_;
  const auth::ClusterKey key_;
  auth::Verifier verifier_;
  NodeInfo joined_;
  std::unique_ptr<Disks> disks_;
  std::unique_ptr<cluster::Router> router_;
  Fronts fronts_;  // written before serving_, read after it
  std::atomic<bool> serving_ = false;
  std::vector<Endpoint> join_;
  std::unique_ptr<GatewayStore> store_;  // of a gateway
  std::unique_ptr<ControlPlane> plane_;
  std::unique_ptr<control::AdminService> admin_;
  std::unique_ptr<NodeJobs> jobs_;
  std::unique_ptr<control::Membership> membership_;
  std::unique_ptr<control::Governor> governor_;
  std::unique_ptr<TaskScope> scope_;       // on shard 0
  std::unique_ptr<TaskScope> background_;  // on the first background shard
  std::vector<std::unique_ptr<http::Server>> servers_;
};

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by all threads; sigwait takes them
}

}  // namespace

Status run_node(const NodeConfig& config) {
  block_signals();
  TRY(const auto lock, lock_folder(config.data_dir()));
  if (!config.pid_file().empty()) {
    CHECK_OK(control::write_private_file(config.pid_file(), std::to_string(::getpid()) + "\n"));
  }
  TRY(auto tls, load_tls(config.net));
  TRY(auto key, cluster_key(config));
  TRY(auto identity, control::load_identity(config.data_dir(), role_of(config), config.node_id()));
  Node node(config, std::move(tls), std::move(key), std::move(identity));
  return node.run();
}

Status move_map(const NodeConfig& config, MapPlace to) {
  TRY(const auto lock, lock_folder(config.data_dir()));
  TRY(const auto identity,
      control::load_identity(config.data_dir(), role_of(config), config.node_id()));
  TRY(const auto moved, move_map_to(to, config, identity.id));
  std::printf("the map of cluster %s (%zu keys) is %s now, at epoch %llu\n", moved.uuid.c_str(),
              moved.keys, to == MapPlace::kEtcd ? "in etcd" : "on this disk",
              static_cast<unsigned long long>(moved.epoch));
  return {};
}

}  // namespace aisfs::node
