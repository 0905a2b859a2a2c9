// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/scenario.h"

#include <cmath>
#include <filesystem>

namespace aisfs::tests::scale {
namespace {

constexpr Duration kSettled = std::chrono::minutes(4);
constexpr Duration kGoesOn = std::chrono::seconds(90);
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr std::size_t kStockClients = 4, kStormClients = 6, kOperations = 40;
constexpr double kMovedTolerance = 0.05;
constexpr Duration kStepGuess = std::chrono::seconds(40);  // beside its load

const BucketName kPlain = native_bucket("plain"), kMirror = native_bucket("mirror"),
                 kSlices = native_bucket("slices"), kPlainStorm = native_bucket("storm-plain"),
                 kStorm = native_bucket("storm");
const std::string kTools = "tools";

BucketProps mirrored() { return {.copies = 2}; }

/// All objects are split, the smallest too.
BucketProps sliced() {
  BucketProps props;
  props.erasure = {.data = 2, .parity = 2, .least_bytes = 1};
  return props;
}

std::vector<StockBucket> stock_buckets(bool erasure) {
  std::vector<StockBucket> all = {{kPlain, {.copies = 1}}, {kMirror, mirrored()}};
  if (erasure) all.push_back({kSlices, sliced()});
  return all;
}

}  // namespace

Scenario::Scenario(ScenarioOptions options)
    : options_(std::move(options)),
      erasure_(options_.targets >= 5),
      targets_least_(erasure_ ? 4 : 2),
      nodes_(options_.dir,
             {.gateways = 3,
              .targets = options_.targets,
              .etcd = true,
              .etcd_members = 3,
              .mountpaths = 2}),
      targets_(options_.targets),
      kept_(stock_buckets(erasure_)) {
  report_.seed = options_.seed;
}

Scenario::~Scenario() {
  for (const auto& loop : loops_) loop->end();
}

std::vector<Scenario::Step> Scenario::steps() const {
  std::vector<Step> all = {{"targets join", &Scenario::grow},
                           {"a mountpath is attached", &Scenario::attach_mountpath},
                           {"a mountpath is detached", &Scenario::detach_mountpath},
                           {"each gateway is killed", &Scenario::kill_gateways},
                           {"each member of etcd is killed", &Scenario::kill_etcd}};
  for (std::size_t targets = 6; targets > targets_least_; --targets) {
    all.push_back({"a target is decommissioned", &Scenario::decommission_one});
  }
  const std::vector<Step> rest = {
      {"a decommission is refused", &Scenario::refuse_decommission},
      {"a target joins", &Scenario::grow_by_one},
      {"buckets without redundancy are judged", &Scenario::judge_plain},
      {"a mountpath is pulled and comes back", &Scenario::pull_mountpath, true},
      {"a target is killed for good", &Scenario::kill_for_good}};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

Report Scenario::run() {
  Status status = begin();
  for (const Step& step : steps()) {
    if (!status) break;
    status = take(step);
    if (!status) wrong("step \"" + step.name + "\": " + status.error().what());
  }
  finish();
  return std::move(report_);
}

Status Scenario::begin() {
  const TimePoint began = std::chrono::steady_clock::now();
  const auto start = [this]() -> Status {
    CHECK_OK(nodes_.start());
    stock_ = std::make_unique<Stock>(kept_, options_.objects, stock_tally_);
    CHECK_OK(stock_->put_all(nodes_));
    User user(nodes_.endpoints(), nodes_.admin());
    if (!user.why_not().empty()) return Error(Errc::unreachable, user.why_not());
    const std::vector<StockBucket> more = {
        {kPlainStorm, {.copies = 1}},
        {kStorm, erasure_ ? sliced() : mirrored()},
        {native_bucket(kTools), erasure_ ? sliced() : mirrored()}};
    for (const StockBucket& bucket : more) {
      const auto made =
          user.run(user.api().create_bucket(User::within(seconds(20)), bucket.name, bucket.props));
      if (!made) return made.error();
    }
    return {};
  };
  if (Status started = start(); !started) {
    wrong("the cluster does not start: " + started.error().what());
    return started;
  }
  const Duration time =
      (options_.step_least + kStepGuess) * static_cast<Duration::rep>(steps().size());
  plain_ = std::make_unique<StormClients>(nodes_, kPlainStorm, kStormClients, options_.seed, time);
  redundant_ =
      std::make_unique<StormClients>(nodes_, kStorm, kStormClients, options_.seed + 1, time);
  stock_->start_clients(nodes_, kStockClients, options_.seed + 2);
  const std::map<std::string, std::unique_ptr<Loop> (*)(Site, Tally&)> kinds = {
      {"mount", make_mount_loop}, {"aws", make_aws_loop}, {"rclone", make_rclone_loop}};
  for (const auto& [name, make] : kinds) {
    if (options_.without.contains(name)) continue;
    if (name != "mount" && !is_installed(name)) {
      note_ += name + " is not installed; ";
      continue;
    }
    Site site{.folder = options_.dir + "/" + name,
              .bucket = kTools,
              .keys = nodes_.admin(),
              .patience = options_.patience,
              .renames = !options_.without.contains("renames")};
    std::filesystem::create_directories(site.folder);
    for (const auto& member : nodes_.members()) {
      if (!member->gateway) continue;
      site.gateways.push_back(member->listeners.at("public"));
      site.s3 = member->listeners.at("s3");
    }
    loops_.push_back(make(std::move(site), loop_tallies_[name]));
    loops_.back()->start();
  }
  CHECK_OK(settle());
  CHECK_OK(goes_on(began));
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  report_.rows.push_back({.step = "3 gateways, 3 etcd, targets with 2 disks",
                          .seconds = took,
                          .targets = targets_,
                          .objects = options_.objects * kept_.size(),
                          .files = census_.files.size(),
                          .moved = {},
                          .ideal = {},
                          .note = std::exchange(note_, {})});
  take_counts(report_.rows.back());
  if (!options_.quiet) {
    print_head();
    print_row(report_.rows.back());
  }
  return {};
}

Status Scenario::take(const Step& step) {
  const TimePoint began = std::chrono::steady_clock::now();
  Status done = (this->*step.act)();
  // What has gone with a bucket has not moved.
  const auto gone = [this](const std::string& bucket) {
    return std::ranges::none_of(kept_, [&](const auto& b) { return b.name.name == bucket; });
  };
  std::erase_if(spots_, [&](const Spot& spot) { return gone(spot.bucket); });
  std::erase_if(census_.files, [&](const auto& file) { return gone(file.first.bucket); });
  const Spots spots = spots_;
  const Census census = census_;
  if (done) done = settle();
  const Duration settled = std::chrono::steady_clock::now() - began;
  if (done) done = goes_on(began + options_.step_least);
  Row row{.step = step.name,
          .seconds = std::chrono::duration<double>(settled).count(),
          .targets = targets_,
          .objects = options_.objects * kept_.size(),
          .files = census_.files.size(),
          .moved = moved_between(census, census_),
          .ideal = ideal_between(spots, spots_, census_),
          .note = std::exchange(note_, {})};
  take_counts(row);
  const double off =
      std::abs(static_cast<double>(row.moved.files) - static_cast<double>(row.ideal.files));
  if (done && !step.any_moves && off > kMovedTolerance * static_cast<double>(row.ideal.files)) {
    wrong("step \"" + step.name + "\": " + std::to_string(row.moved.files) +
          " files moved, and placement asks for " + std::to_string(row.ideal.files));
  }
  for (const std::string& crash : nodes_.crashed()) wrong(crash);
  if (!options_.quiet) print_row(row);
  report_.rows.push_back(std::move(row));
  return done;
}

/// Everybody has done something since.
Status Scenario::goes_on(TimePoint least_until) {
  if (!stock_tally_.goes_on(kOperations, kGoesOn)) {
    return Error(Errc::timed_out, "readers of the stock do not go on");
  }
  for (const auto& loop : loops_) {
    if (loop->tally().goes_on(1, kGoesOn)) continue;
    return Error(Errc::timed_out, loop->name() + " does not go on");
  }
  std::this_thread::sleep_until(least_until);
  return {};
}

void Scenario::take_counts(Row& row) {
  std::vector<std::pair<std::string, Tally*>> tallies = {{"stock", &stock_tally_}};
  for (const auto& loop : loops_) tallies.emplace_back(loop->name(), &loop->tally());
  for (const auto& [name, tally] : tallies) {
    row.clients.emplace_back(name, tally->take());
    for (std::string& failure : tally->take_failures()) {
      wrong(row.step + ": " + failure);
      row.failures.push_back(std::move(failure));
    }
  }
  if (plain_) row.clients.emplace_back("storm-plain", plain_->take());
  if (redundant_) row.clients.emplace_back("storm", redundant_->take());
  for (const auto& [name, counts] : row.clients) {
    using One = std::pair<std::string, Tally::Counts>;
    auto total = std::ranges::find(report_.totals, name, &One::first);
    if (total == report_.totals.end()) total = report_.totals.insert(total, {name, {}});
    total->second += counts;
  }
}

Result<MapSnapshot> Scenario::fresh_map() {
  User user(nodes_.endpoints(), nodes_.admin());
  if (!user.why_not().empty()) return Error(Errc::unreachable, user.why_not());
  return user.api().current();
}

Result<Mountpaths> Scenario::active_mountpaths(User& user, const ClusterMap& map) {
  Mountpaths all;
  for (const NodeInfo* node : map.active_targets()) {
    TRY(const StorageInfo storage,
        user.run(user.api().storage(User::within(seconds(5)), node->id)));
    if (!storage.settled) return Error(Errc::busy, node->id + " moves names between its disks");
    for (const MountpathInfo& mountpath : storage.mountpaths) {
      if (mountpath.state == "active") all[node->id].push_back(mountpath.path);
    }
  }
  return all;
}

/// `why` not, for people.
Result<bool> Scenario::is_settled(std::string& why) {
  User user(nodes_.endpoints(), nodes_.admin());
  if (!user.why_not().empty()) return Error(Errc::unreachable, user.why_not());
  const MapSnapshot map = user.api().current();
  std::size_t active = 0;
  for (const auto& [id, node] : map->nodes) {
    if (!node.stores()) continue;
    why = "target " + id + " is in state " + std::to_string(static_cast<int>(node.state));
    if (node.state != NodeState::kActive) return false;
    ++active;
  }
  why = std::to_string(active) + " targets, not " + std::to_string(targets_);
  if (active != targets_) return false;
  why = "names move: " + std::to_string(map->placement.past.size()) + " past sets";
  if (!map->placement.settled()) return false;
  for (const NodeInfo* node : map->active_targets()) {
    TRY(const auto progress, user.run(user.api().rebalance(User::within(seconds(5)), node->id)));
    why = node->id + " still moves names";
    if (progress.running) return false;
  }
  TRY(const Mountpaths mountpaths, active_mountpaths(user, *map));
  spots_ = spots_by_placement(kept_, options_.objects, *map, mountpaths);
  census_ = take_census(kept_, options_.objects, mountpaths);
  why = difference(census_, spots_);
  return why.empty();
}

Status Scenario::settle() {
  const Deadline deadline = Deadline::after(kSettled);
  std::string why;
  for (;;) {
    const auto settled = is_settled(why);
    if (settled && *settled) return {};
    if (!settled) why = settled.error().what();
    if (deadline.expired()) return Error(Errc::timed_out, "names are not at home: " + why);
    std::this_thread::sleep_for(kLook);
  }
}

void Scenario::judge(StormClients& clients) {
  storm::Doors doors([this] { return nodes_.endpoints(); }, nodes_.admin());
  if (!doors.why_not().empty()) return wrong(doors.why_not());
  const std::string file = options_.dir + "/history-" + clients.bucket().name;
  for (std::string& line : clients.judge(doors, file, report_.verdicts)) {
    wrong(clients.bucket().name + ": " + line);
  }
}

void Scenario::finish() {
  for (const auto& loop : loops_) loop->end();
  if (stock_) stock_->end();
  if (plain_) judge(*plain_);
  if (redundant_) judge(*redundant_);
  Row end{.step = "at the end"};
  take_counts(end);
  if (stock_) {
    storm::Doors doors([this] { return nodes_.endpoints(); }, nodes_.admin());
    if (!doors.why_not().empty()) wrong(doors.why_not());
    for (const StockBucket& bucket : kept_) {
      if (!doors.why_not().empty()) break;
      for (std::string& line : stock_->verify(doors, bucket.name)) wrong(std::move(line));
    }
  }
  for (const auto& [name, counts] : report_.totals) {
    if (name.starts_with("storm") || counts.longest <= options_.patience) continue;
    wrong("an operation of " + name + " waited for " +
          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(counts.longest).count()) +
          " s");
  }
  for (const std::string& crash : nodes_.crashed()) wrong(crash);
}

}  // namespace aisfs::tests::scale
