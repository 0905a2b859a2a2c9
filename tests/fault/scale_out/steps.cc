// SPDX-License-Identifier: MIT
// What is done to the cluster.
#include <csignal>
#include <filesystem>
#include <functional>

#include "node/control/etcd_store.h"
#include "tests/fault/scale_out/scenario.h"

namespace aisfs::tests::scale {
namespace {

namespace fs = std::filesystem;

constexpr Duration kCommandMax = std::chrono::minutes(4);
constexpr Duration kNoticed = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(100);
// While something is dead: shorter than a step needs, longer than nothing.
constexpr std::size_t kMeanwhile = 60;
constexpr std::size_t kTargetsMost = 6;

/// A member of etcd that is one of the cluster again: it answers by what the majority knows.
bool serves(const Endpoint& member) {
  Started runtime;
  http::Client http(runtime, {});
  control::EtcdStore store(http, {{member}, ""});
  meta::GetRequest one{{"k", {}}, 0, 0};
  const bool answered = runtime.run_on(0, store.get(std::move(one))).ok();
  http.close();
  return answered;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

}  // namespace

Scenario::Said Scenario::ais(Arguments arguments) {
  const Credentials keys = nodes_.admin();
  arguments.insert(arguments.begin(), {built("ais"), "--no-color"});
  Program program(arguments,
                  {{"AIS_ENDPOINT", "http://" + nodes_.endpoints().front().to_string()},
                   {"AWS_ACCESS_KEY_ID", keys.access_key},
                   {"AWS_SECRET_ACCESS_KEY", keys.secret_key},
                   {"AIS_AUTHN_TOKEN", ""},
                   {"AIS_CA", ""}},
                  options_.dir + "/ais.log");
  const int status = program.wait(kCommandMax);
  return {status, one_line(program.output())};
}

Status Scenario::must(Arguments arguments) {
  std::string command = "ais";
  for (const std::string& one : arguments) command += " " + one;
  const Said said = ais(std::move(arguments));
  if (said.status == 0) return {};
  return Error(Errc::internal,
               command + ": status " + std::to_string(said.status) + ": " + said.text);
}

/// Of those that are members.
storm::Member& Scenario::target(std::size_t index) {
  std::vector<storm::Member*> all;
  for (const auto& member : nodes_.members()) {
    if (!member->gateway) all.push_back(member.get());
  }
  return *all.at(index);
}

Status Scenario::wait_until(const std::string& what,
                            Duration limit,
                            const std::function<bool()>& done) {
  const Deadline deadline = Deadline::after(limit);
  while (!done()) {
    if (deadline.expired()) return Error(Errc::timed_out, "not so in time: " + what);
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

bool Scenario::others_go_on() { return stock_tally_.goes_on(kMeanwhile, kNoticed); }

Status Scenario::grow() {
  while (targets_ < kTargetsMost) CHECK_OK(grow_by_one());
  note_ = std::to_string(options_.targets) + " -> " + std::to_string(targets_) + " targets";
  return {};
}

Status Scenario::grow_by_one() {
  CHECK_OK(nodes_.add_target());
  ++targets_;
  return {};
}

Status Scenario::attach_mountpath() {
  storm::Member& changed = target(0);
  const std::string path = nodes_.folder_of(changed) + "/mp3";
  fs::create_directories(path);
  return must({"storage", "mountpath", "attach", changed.id + "=" + path});
}

Status Scenario::detach_mountpath() {
  storm::Member& changed = target(1);
  return must(
      {"storage", "mountpath", "detach", changed.id + "=" + nodes_.folder_of(changed) + "/mp1"});
}

Status Scenario::kill_gateways() {
  for (const auto& member : nodes_.members()) {
    if (!member->gateway) continue;
    nodes_.kill(*member);
    if (!others_go_on()) return Error(Errc::timed_out, "nobody goes on without " + member->name);
    CHECK_OK(nodes_.restart(*member));
  }
  return {};
}

Status Scenario::kill_etcd() {
  EtcdProcesses& etcd = *nodes_.etcd();
  const std::vector<Endpoint> members = etcd.endpoints();
  for (std::size_t i = 0; i < members.size(); ++i) {
    etcd.signal(i, SIGKILL);
    if (!others_go_on()) return Error(Errc::timed_out, "nobody goes on without a member of etcd");
    etcd.start(i);
    CHECK_OK(wait_until("etcd has its member back", kNoticed, [&] { return serves(members[i]); }));
  }
  return {};
}

Status Scenario::decommission_one() {
  storm::Member& leaving = target(0);
  const std::string id = leaving.id;
  CHECK_OK(must({"cluster", "add-remove-nodes", "decommission", "--wait", "--for", "3m", id}));
  CHECK_OK(wait_until(id + " has left the map", kNoticed, [&] {
    const auto map = fresh_map();
    return map && (*map)->find_node(id) == nullptr;
  }));
  nodes_.retire(leaving);
  --targets_;
  note_ = std::to_string(targets_ + 1) + " -> " + std::to_string(targets_) + " targets";
  return {};
}

Status Scenario::refuse_decommission() {
  const Said said = ais({"cluster", "add-remove-nodes", "decommission", target(0).id});
  note_ = "exit status " + std::to_string(said.status) + ": " + said.text;
  if (said.status != 0) return {};
  return Error(Errc::internal,
               "a decommission that breaks the redundancy of buckets is not refused");
}

Status Scenario::judge_plain() {
  judge(*plain_);
  const BucketName storm_bucket = plain_->bucket();
  plain_.reset();
  const BucketName plain = kept_.front().name;
  stock_->leave(plain);
  User user(nodes_.endpoints(), nodes_.admin());
  if (!user.why_not().empty()) return Error(Errc::unreachable, user.why_not());
  {
    storm::Doors doors([this] { return nodes_.endpoints(); }, nodes_.admin());
    if (!doors.why_not().empty()) return Error(Errc::unreachable, doors.why_not());
    for (std::string& line : stock_->verify(doors, plain)) wrong(std::move(line));
  }
  for (const BucketName& bucket : {plain, storm_bucket}) {
    CHECK_OK(user.run(user.api().destroy_bucket(User::within(seconds(20)), bucket, true)));
  }
  kept_.erase(kept_.begin());
  return {};
}

Status Scenario::pull_mountpath() {
  storm::Member& hurt = target(0);
  const std::string path = nodes_.folder_of(hurt) + "/mp2";
  const auto state = [&]() -> std::string {
    User user(nodes_.endpoints(), nodes_.admin());
    if (!user.why_not().empty()) return {};
    const auto storage = user.run(user.api().storage(User::within(seconds(5)), hurt.id));
    if (!storage) return {};
    for (const MountpathInfo& mountpath : storage->mountpaths) {
      if (mountpath.path == path) return mountpath.state;
    }
    return {};
  };
  fs::rename(path, path + ".pulled");
  CHECK_OK(
      wait_until("a disk that is gone has failed", kNoticed, [&] { return state() == "failed"; }));
  const bool on = others_go_on();
  fs::rename(path + ".pulled", path);
  if (!on) return Error(Errc::timed_out, "nobody goes on without a disk");
  return must({"storage", "mountpath", "enable", hurt.id + "=" + path});
}

Status Scenario::kill_for_good() {
  storm::Member& dead = target(1);
  const std::string id = dead.id;
  nodes_.kill(dead);
  CHECK_OK(wait_until("the lease of a dead target is over", kNoticed, [&] {
    const auto map = fresh_map();
    return map && (*map)->find_node(id)->state == NodeState::kAway &&
           (*map)->placement.next.empty();
  }));
  if (!others_go_on()) return Error(Errc::timed_out, "nobody goes on without a target");
  CHECK_OK(must({"cluster", "add-remove-nodes", "decommission", "--data-lost", "--yes", id}));
  nodes_.retire(dead);
  --targets_;
  return {};
}

}  // namespace aisfs::tests::scale
