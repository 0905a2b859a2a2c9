// SPDX-License-Identifier: MIT
#include "tests/fault/bit_flips/trial.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

namespace aisfs::tests::flips {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kGateway = 0;
constexpr Duration kHealedAfter = std::chrono::seconds(120);
constexpr auto kLook = std::chrono::milliseconds(300);
constexpr Duration kPassMax = std::chrono::seconds(120);
constexpr Place kOwn[] = {Place::kLog, Place::kIntents, Place::kIndex, Place::kTable, Place::kMap};

/// Of the name EPOCH.CLOCK.INCARNATION-HASH.INDEX, all hexadecimal.
using SliceVersion = std::array<std::uint64_t, 3>;
SliceVersion version_of_slice(const std::string& path) {
  SliceVersion version{};
  const std::string name = path.substr(path.rfind('/') + 1);
  std::size_t at = 0;
  for (std::uint64_t& part : version) {
    part = std::strtoull(name.c_str() + at, nullptr, 16);
    at = name.find_first_of(".-", at) + 1;
  }
  return version;
}

/// The version fields of an envelope (bytes 4 to 7) are not under its checksum: what they say of
/// metadata that are read all the same means nothing.
bool is_without_checksum(const Harm& harm) {
  if (harm.file.place != Place::kMetadata || harm.before.size() != harm.after.size()) return false;
  const auto changed = std::ranges::mismatch(harm.before, harm.after).in1 - harm.before.begin();
  return harm.way == Way::kBit && changed >= 4 && changed < 8;
}

}  // namespace

std::size_t Counts::all() const {
  std::size_t sum = 0;
  for (const auto& ways : flips) sum += std::accumulate(ways.begin(), ways.end(), std::size_t{0});
  return sum;
}

Trial::Trial(std::string dir, Options options)
    : dir_(std::move(dir)),
      options_(options),
      random_(options.seed),
      stock_(options.objects, options.seed + 1) {}

Trial::~Trial() { user_.reset(); }

Status Trial::begin() {
  key_file_ = dir_ + "/cluster.key";
  std::ofstream(key_file_) << std::string(64, 'a') << "\n";
  fs::permissions(key_file_, fs::perms::owner_read | fs::perms::owner_write);
  for (std::size_t i = 0; i <= kTargets; ++i) {
    NodeProcess::Options options{.dir = dir_ + (i == kGateway ? "/g1" : "/t" + std::to_string(i)),
                                 .role = i == kGateway ? "gateway" : "target",
                                 .key_file = key_file_,
                                 .flags = {"--store.scrub_interval", "0s"}};
    if (i != kGateway) options.join = nodes_.front()->at("control");
    nodes_.push_back(std::make_unique<NodeProcess>(std::move(options)));
    CHECK_OK(start(i));
  }
  user_ = std::make_unique<User>(*nodes_.front(), admin_keys(dir_ + "/g1"));
  if (!user_->why_not().empty()) return Error(Errc::unreachable, user_->why_not());
  return stock_.fill(*user_);
}

Status Trial::start(std::size_t i) {
  nodes_[i]->begin_start();
  return wait_started(i);
}

Status Trial::wait_started(std::size_t i) {
  NodeProcess& node = *nodes_[i];
  if (node.wait_started()) {
    std::vector<std::string> flags = {"--store.scrub_interval", "0s"};
    for (const char* listener : {"public", "s3", "control", "data"}) {
      flags.push_back(std::string("--net.") + listener + "_port");
      flags.push_back(std::to_string(node.endpoint(listener).port));
    }
    node.set_flags(std::move(flags));  // others know it there
    return {};
  }
  node.signal_and_wait(SIGKILL);
  const std::string log = node.log();
  return Error(Errc::unreachable,
               node.options().dir + " does not start: " +
                   log.substr(log.size() - std::min<std::size_t>(600, log.size())));
}

/// Half of the times as by a crash.
Status Trial::stop_all() {
  user_.reset();
  const int signal = random_() % 2 == 0 ? SIGTERM : SIGKILL;
  for (const auto& node : nodes_) node->signal(signal);
  for (const auto& node : nodes_) {
    const int status = node->signal_and_wait(signal);
    const bool fine = status == (signal == SIGTERM ? 0 : 128 + SIGKILL);
    if (!fine)
      return Error(Errc::internal, node->options().dir + " ended with " + std::to_string(status));
  }
  return {};
}

Status Trial::start_all() {
  if (sick_ == kGateway && !start(kGateway)) CHECK_OK(make_node_good());
  if (sick_ != kGateway) CHECK_OK(start(kGateway));
  for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i]->begin_start();
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    Status started = wait_started(i);
    if (!started && sick_ == i) started = make_node_good();
    CHECK_OK(std::move(started));
  }
  user_ = std::make_unique<User>(*nodes_.front(), admin_keys(dir_ + "/g1"));
  return user_->why_not().empty() ? Status() : Error(Errc::unreachable, user_->why_not());
}

/// It has refused to start: its administrator brings back what was there, or throws away what can
/// be made again.
Status Trial::make_node_good() {
  ++counts_.refused;
  const std::string folder = nodes_[*sick_]->options().dir;
  for (; !own_harms_.empty(); own_harms_.pop_back()) {  // the last first: they may overlap
    const Harm& harm = own_harms_.back();
    if (harm.file.place == Place::kIndex) {
      fs::remove_all(folder + "/mp1/%index");
    } else {
      CHECK_OK(undo(harm));
    }
  }
  return start(*sick_);
}

void Trial::note(Result<Harm> harm) {
  if (!harm) return;  // there was nothing to change
  const auto place = static_cast<std::size_t>(harm->file.place);
  ++counts_.flips[place][static_cast<std::size_t>(harm->way)];
  (is_of_object(harm->file.place) ? harms_ : own_harms_).push_back(*std::move(harm));
}

/// One file of an object on a node, unless that would be one copy too many of it.
void Trial::harm_file(const File& file,
                      const std::map<std::string, std::vector<File>>& by_object,
                      std::size_t node,
                      std::size_t most) {
  const auto may = [&](const std::string& object) {
    const auto& nodes = damaged_[object];
    return !nodes.contains(node) && nodes.size() < most;
  };
  if (!may(file.object)) return;
  const Way way = static_cast<Way>(random_() % kWays);
  if (way != Way::kSwap) {
    damaged_[file.object].insert(node);
    return note(damage(file, way, random_));
  }
  for (const auto& [object, files] : by_object) {
    if (object == file.object || !may(object)) continue;
    for (const File& other : files) {
      if (other.place != file.place || file.place == Place::kMetadata) continue;
      damaged_[file.object].insert(node);
      damaged_[object].insert(node);
      return note(exchange(file, other));
    }
  }
}

/// Those that count, by node and object. Slices of what was replaced may lie there for a while.
std::vector<std::map<std::string, std::vector<File>>> Trial::files_of_objects() const {
  const auto there = stock_.there();
  std::map<std::string, SliceVersion> newest;
  std::vector<std::map<std::string, std::vector<File>>> files(nodes_.size());
  for (std::size_t node = 1; node < nodes_.size(); ++node) {
    for (File& file : files_below(nodes_[node]->options().dir)) {
      const auto object = there.find(file.object);
      if (object == there.end() || object->second != (file.place == Place::kSlice)) continue;
      if (object->second) {
        SliceVersion& known = newest[file.object];
        known = std::max(known, version_of_slice(file.path));
      }
      files[node][file.object].push_back(std::move(file));
    }
  }
  for (auto& of_node : files) {
    for (auto& [object, all] : of_node) {
      std::erase_if(all, [&](const File& file) {
        return file.place == Place::kSlice && version_of_slice(file.path) != newest[object];
      });
    }
    std::erase_if(of_node, [](const auto& entry) { return entry.second.empty(); });
  }
  return files;
}

void Trial::harm_objects(std::size_t flips) {
  const std::size_t before = harms_.size();
  const bool target_sick = sick_ && *sick_ != kGateway;
  const std::size_t most = Stock::kLosses - (target_sick ? 1 : 0);
  const auto files = files_of_objects();
  for (std::size_t turn = 0; turn < 10 * flips && harms_.size() - before < flips; ++turn) {
    const std::size_t node = 1 + random_() % kTargets;
    if (files[node].empty()) continue;
    if (sick_ == node) continue;
    auto object = files[node].begin();
    std::advance(object, static_cast<std::ptrdiff_t>(random_() % files[node].size()));
    const auto& all = object->second;
    harm_file(all[random_() % all.size()], files[node], node, most);
  }
}

/// One to three flips in files that a node keeps for itself. With them, if that is asked for, a
/// target's index goes, now and then, so that the files must tell what is there.
void Trial::harm_node() {
  const Place place = kOwn[counts_.rounds % std::size(kOwn)];
  sick_ = place == Place::kMap ? kGateway : 1 + random_() % kTargets;
  std::vector<File> files = files_below(nodes_[*sick_]->options().dir);
  std::erase_if(files, [&](const File& file) { return file.place != place; });
  for (std::size_t i = 1 + random_() % 3; i > 0 && !files.empty(); --i) {
    note(damage(files[random_() % files.size()], static_cast<Way>(random_() % 3), random_));
  }
  const bool derive = options_.lose_index && (place == Place::kLog || place == Place::kTable);
  if (derive && random_() % 2 == 0) fs::remove_all(nodes_[*sick_]->options().dir + "/mp1/%index");
}

Result<ScrubProgress> Trial::scrub(std::size_t target) {
  const std::string id = nodes_[target]->at("node");
  const Deadline deadline = Deadline::after(kPassMax);
  for (;;) {
    TRY(ScrubProgress progress,
        user_->run(user_->api().scrub(User::within(seconds(20)), id, ScrubAction::kShow)));
    if (!progress.running) return progress;
    if (deadline.expired()) return Error(Errc::timed_out, "a scrub does not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// A slice may be made anew on another target, when holders have changed.
bool Trial::is_healed(const Harm& harm) const {
  if (!is_still_there(harm) || is_without_checksum(harm)) return true;
  if (harm.file.place != Place::kSlice || fs::exists(harm.file.path)) return false;
  const std::string name = fs::path(harm.file.path).stem();  // without the index
  std::set<std::string> indices;
  for (const auto& node : nodes_) {
    for (const File& file : files_below(node->options().dir)) {
      const fs::path path = file.path;
      if (file.place == Place::kSlice && path.stem() == name) indices.insert(path.extension());
    }
  }
  return indices.size() == Stock::kSlices;
}

/// A pass finds what is damaged and heals it; slices come back a little later. So the last of
/// several passes has nothing to say.
std::vector<std::string> Trial::scrub_until_clean() {
  std::vector<std::string> wrong;
  const Deadline deadline = Deadline::after(kHealedAfter);
  for (int pass = 1;; ++pass) {
    wrong.clear();
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      const auto begun = user_->run(user_->api().scrub(User::within(seconds(20)),
                                                       nodes_[i]->at("node"), ScrubAction::kStart));
      if (!begun) return {"scrub: " + begun.error().what()};
    }
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      const auto progress = scrub(i);
      if (!progress) return {"scrub: " + progress.error().what()};
      counts_.healed += progress->healed;
      if (progress->damaged == 0) continue;
      wrong.push_back("pass " + std::to_string(pass) + " of t" + std::to_string(i) + " found " +
                      std::to_string(progress->damaged) + " damaged, healed " +
                      std::to_string(progress->healed) + ", lost " +
                      std::to_string(progress->lost));
      for (const DamagedName& name : progress->names) {
        wrong.push_back("  " + name.key + (name.lost ? " lost: " : ": ") + name.why);
      }
    }
    std::erase_if(harms_, [this](const Harm& harm) { return is_healed(harm); });
    if ((wrong.empty() && harms_.empty()) || deadline.expired()) break;
    std::this_thread::sleep_for(kLook);
  }
  for (const Harm& harm : harms_) wrong.push_back("not noticed: " + harm.describe());
  return wrong;
}

std::vector<std::string> Trial::run_round(std::size_t flips) {
  const auto failed = [](const Status& status) { return std::vector{status.error().what()}; };
  harms_.clear(), own_harms_.clear(), damaged_.clear();
  sick_.reset();
  if (counts_.rounds > 0) {
    if (const Status changed = stock_.change(*user_); !changed) return failed(changed);
  }
  if (const Status stopped = stop_all(); !stopped) return failed(stopped);
  if (random_() % 2 == 0) harm_node();
  harm_objects(flips);
  if (const Status started = start_all(); !started) return failed(started);
  std::vector<std::string> wrong = stock_.look(*user_);
  if (!wrong.empty()) return wrong;
  wrong = scrub_until_clean();
  if (!wrong.empty()) return wrong;
  for (const Harm& harm : own_harms_) counts_.latent += is_still_there(harm) ? 1 : 0;
  return stock_.look(*user_);
}

std::vector<std::string> Trial::round(std::size_t flips) {
  std::vector<std::string> wrong = run_round(flips);
  if (!wrong.empty()) {
    for (const Harm& harm : harms_) wrong.push_back("done: " + harm.describe());
    for (const Harm& harm : own_harms_) wrong.push_back("done: " + harm.describe());
  }
  ++counts_.rounds;
  return wrong;
}

}  // namespace aisfs::tests::flips
