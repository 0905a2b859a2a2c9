// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/nodes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/fault/cluster/clock_file.h"

namespace aisfs::tests::storm {
namespace {

constexpr std::size_t kLogBytes = 2000;  // of a node that failed, to be shown

std::string end_of(const std::string& log) {
  return log.size() <= kLogBytes ? log : "..." + log.substr(log.size() - kLogBytes);
}

/// Made if missing; for ever.
ClockFile* map_clock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  AISFS_ASSERT(fd >= 0 && ::ftruncate(fd, sizeof(ClockFile)) == 0);
  void* memory = ::mmap(nullptr, sizeof(ClockFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  AISFS_ASSERT(memory != MAP_FAILED);
  return static_cast<ClockFile*>(memory);
}

}  // namespace

/// Lets stopped processes go on, whatever the thread that stopped them is waiting for.
class Nodes::Resumer {
 public:
  Resumer() : thread_([this] { run(); }) {}
  ~Resumer() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void resume_at(TimePoint at, pid_t pid) {
    const std::lock_guard lock(mutex_);
    due_.push_back({at, pid});
    changed_.notify_one();
  }

 private:
  struct Due {
    TimePoint at;
    pid_t pid;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (!ending_ || !due_.empty()) {
      const auto first = std::ranges::min_element(due_, {}, &Due::at);
      if (first == due_.end()) {
        changed_.wait(lock);
      } else if (ending_ || first->at <= std::chrono::steady_clock::now()) {
        ::kill(first->pid, SIGCONT);
        due_.erase(first);
      } else {
        changed_.wait_until(lock, first->at);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;   // guarded by mutex_
  std::vector<Due> due_;  // guarded by mutex_
  std::thread thread_;
};

Nodes::Nodes(std::string dir, Shape shape, FindHome home)
    : dir_(std::move(dir)),
      shape_(shape),
      home_(std::move(home)),
      resumer_(std::make_unique<Resumer>()) {
  key_file_ = dir_ + "/cluster.key";
  std::ofstream(key_file_) << std::string(64, 'a') << "\n";
  std::filesystem::permissions(
      key_file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  if (shape_.etcd) etcd_ = std::make_unique<EtcdProcesses>(shape_.etcd_members);
}

Nodes::~Nodes() {
  resumer_.reset();
  members_.clear();
}

Result<Member*> Nodes::add(std::string name, bool gateway) {
  Home home;
  if (home_) {
    TRY(home, home_(name));
  }
  std::string mountpaths;
  for (std::size_t i = 1; i <= shape_.mountpaths && !gateway; ++i) {
    const std::string path = dir_ + "/" + name + "/mp" + std::to_string(i);
    std::filesystem::create_directories(path);
    mountpaths += (mountpaths.empty() ? "" : ",") + path;
  }
  NodeProcess::Options options{.dir = dir_ + "/" + name,
                               .role = gateway ? "gateway" : "target",
                               .key_file = key_file_,
                               .join = gateways(),
                               .mountpath = std::move(mountpaths),
                               .net_namespace = home.net};
  auto member = std::make_unique<Member>();
  if (!shape_.clock_library.empty()) {
    const std::string clock = dir_ + "/" + name + ".clock";
    member->clock = map_clock(clock);
    options.environment = {"LD_PRELOAD=" + shape_.clock_library, "AISFS_TEST_CLOCK=" + clock};
  }
  member->name = std::move(name);
  member->gateway = gateway;
  member->host = std::move(home.host);
  member->process = std::make_unique<NodeProcess>(std::move(options));
  members_.push_back(std::move(member));
  return members_.back().get();
}

Status Nodes::start() {
  for (std::size_t i = 1; i <= shape_.gateways; ++i) {
    TRY(Member* const gateway, add("g" + std::to_string(i), true));
    CHECK_OK(start(*gateway));
  }
  for (std::size_t i = 0; i < shape_.targets; ++i) CHECK_OK(add_target());
  return {};
}

Status Nodes::add_target() {
  TRY(Member* const target, add("t" + std::to_string(++targets_made_), false));
  return start(*target);
}

std::string Nodes::gateways() const {
  std::string all;
  for (const auto& member : members_) {
    if (!member->gateway || member->listeners.empty()) continue;
    all += (all.empty() ? "" : ",") + member->listeners.at("control").to_string();
  }
  return all;
}

/// The first time on any free ports, later on the same.
Status Nodes::start(Member& member) {
  NodeProcess& process = *member.process;
  std::vector<std::string> flags;
  if (etcd_ && member.gateway) {
    std::string all;
    for (const Endpoint& one : etcd_->endpoints()) {
      all += (all.empty() ? "" : ",") + one.to_string();
    }
    flags = {"--etcd.endpoints", std::move(all)};
  }
  if (!member.host.empty()) flags.insert(flags.end(), {"--net.host", member.host});
  for (const auto& [listener, at] : member.listeners) {
    flags.insert(flags.end(), {"--net." + listener + "_port", std::to_string(at.port)});
  }
  process.set_flags(std::move(flags));
  member.up = process.start();
  if (!member.up) {
    process.signal_and_wait(SIGKILL);
    return Error(Errc::unreachable,
                 member.name + " does not start: " + end_of(member.process->log()));
  }
  member.id = process.at("node");
  for (const char* listener : {"public", "s3", "control", "data"}) {
    member.listeners[listener] = process.endpoint(listener);
  }
  publish();
  return {};
}

void Nodes::publish() {
  std::vector<Endpoint> endpoints;
  for (const auto& member : members_) {
    const auto listener = member->listeners.find("public");
    if (listener != member->listeners.end()) endpoints.push_back(listener->second);
  }
  const std::lock_guard lock(mutex_);
  endpoints_ = std::move(endpoints);
}

std::vector<Endpoint> Nodes::endpoints() const {
  const std::lock_guard lock(mutex_);
  return endpoints_;
}

Credentials Nodes::admin() const { return admin_keys(dir_ + "/g1"); }

Member* Nodes::pick(Random& random, const std::function<bool(const Member&)>& wanted) {
  std::vector<Member*> may;
  for (const auto& member : members_) {
    if (member->up && !member->claimed && wanted(*member)) may.push_back(member.get());
  }
  return may.empty() ? nullptr : may[random() % may.size()];
}

std::size_t Nodes::targets_up() const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, [](const auto& member) {
    return member->up && !member->claimed && !member->gateway;
  }));
}

bool Nodes::may_go(const Member& member) const {
  if (!member.gateway) return true;
  if (!shape_.etcd) return &member != members_.front().get();  // the one with the map
  return std::ranges::any_of(members_, [&](const auto& other) {
    return other->gateway && other->up && !other->claimed && other.get() != &member;
  });
}

void Nodes::kill(Member& member) {
  member.process->signal_and_wait(SIGKILL);
  member.up = false;
}

Status Nodes::restart(Member& member) { return start(member); }

Status Nodes::restart_all() {
  std::vector<Member*> killed;
  for (const auto& member : members_) {
    if (!member->up || member->claimed) continue;
    kill(*member);
    killed.push_back(member.get());
  }
  for (Member* member : killed) CHECK_OK(restart(*member));
  return {};
}

void Nodes::retire(Member& member) {
  kill(member);
  std::erase_if(members_, [&](const auto& other) { return other.get() == &member; });
  publish();
}

void Nodes::pause(Member& member, Duration time) {
  member.process->signal(SIGSTOP);
  resumer_->resume_at(std::chrono::steady_clock::now() + time, member.process->pid());
}

namespace {

Status run_command(const std::string& command) {
  if (std::system(command.c_str()) == 0) return {};
  return Error(Errc::io, "failed: " + command);
}

}  // namespace

/// By cp, for the attributes of the files.
Status Nodes::keep_copy(const Member& member) {
  const std::string folder = folder_of(member);
  return run_command("rm -rf " + folder + ".copy && cp -a " + folder + " " + folder + ".copy");
}

Status Nodes::exchange_with_copy(const Member& member, bool whole) {
  const std::string now = folder_of(member) + (whole ? "" : "/mp1");
  const std::string copy = folder_of(member) + ".copy" + (whole ? "" : "/mp1");
  return run_command("mv " + now + " " + copy + ".tmp && mv " + copy + " " + now + " && mv " +
                     copy + ".tmp " + copy);
}

std::vector<std::string> Nodes::crashed() {
  std::vector<std::string> all;
  for (const auto& member : members_) {
    if (!member->up || member->process->running()) continue;
    all.push_back(member->name + " ended by itself: " + end_of(member->process->log()));
    member->up = false;
  }
  return all;
}

}  // namespace aisfs::tests::storm
