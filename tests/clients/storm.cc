// SPDX-License-Identifier: MIT
// PUT, GET and DELETE from several clients while somebody kills nodes; then every key is read
// again. Prints counts; exits 1 if an acknowledged write was lost, a deleted object came back, or
// a body was anything but one whole write.
//
// usage: storm ENDPOINT CLIENTS KEYS COMMAND...    runs until COMMAND (the killer) has ended;
// the keys of the cluster come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "common/async/gather.h"
#include "common/async/runtime.h"
#include "common/client/cluster_client.h"

namespace aisfs {
namespace {

constexpr std::uint32_t kDeleted = 0;  // the write number of "no object"

struct Counts {
  std::atomic<std::uint64_t> acked{0}, failed{0}, reads{0}, violations{0};
};

/// One key has one writer, so what a reader may see is: the last acknowledged write, or any write
/// since then whose outcome its writer does not know.
class KeyState {
 public:
  void began(std::uint32_t write) { possible_.insert(write); }
  void acknowledged(std::uint32_t write) { possible_ = {write}; }
  bool allows(std::uint32_t write) const { return possible_.contains(write); }
  std::string to_string() const {
    std::string text;
    for (const std::uint32_t w : possible_) text += " " + std::to_string(w);
    return text;
  }

 private:
  std::set<std::uint32_t> possible_ = {kDeleted};
};

/// The body of a write names the write in every 8 bytes, so a mix of two writes shows.
std::string body_of(std::uint32_t key, std::uint32_t write) {
  const std::size_t words = 1 + (key * 2654435761u + write * 40503u) % 30000;  // up to 240 KB
  std::string body;
  body.reserve(words * 8);
  for (std::size_t i = 0; i < words; ++i) {
    body.append(reinterpret_cast<const char*>(&key), 4);
    body.append(reinterpret_cast<const char*>(&write), 4);
  }
  return body;
}

/// The write that a body comes from; nullopt if it is not the whole of one.
std::optional<std::uint32_t> write_of(std::uint32_t key, const std::string& body) {
  if (body.size() < 8) return std::nullopt;
  std::uint32_t write = 0;
  std::memcpy(&write, body.data() + 4, 4);
  if (body != body_of(key, write)) return std::nullopt;
  return write;
}

class Writer {
 public:
  Writer(ObjectApi& api, Counts& counts, std::uint32_t first_key, std::uint32_t keys)
      : api_(api), counts_(counts), first_key_(first_key), states_(keys), rng_(first_key) {}

  Task<Result<int>> run(const std::atomic<bool>& stop) {
    while (!stop) {
      const auto index = static_cast<std::uint32_t>(rng_() % states_.size());
      const unsigned dice = rng_() % 10;
      if (dice < 4)
        co_await put(index);
      else if (dice < 6)
        co_await remove(index);
      else
        co_await check(index, "during the storm");
    }
    co_return 0;
  }

  Task<Result<int>> check_all() {
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
      if (!co_await check(i, "after the storm")) violation(i, "cannot be read after the storm");
    }
    co_return 0;
  }

 private:
  ObjectName name(std::uint32_t index) const {
    return {native_bucket("storm"), "k" + std::to_string(first_key_ + index)};
  }
  static Context context() { return {.deadline = Deadline::after(std::chrono::seconds(20))}; }

  Task<void> put(std::uint32_t index) {
    const std::uint32_t write = ++next_write_;
    StringSource body(body_of(first_key_ + index, write));
    states_[index].began(write);
    PutOptions options;
    ExpectedChecksums expected;
    auto r =
        co_await api_.put(context(), name(index), std::move(options), std::move(expected), body);
    settle(index, write, r.ok());
  }

  Task<void> remove(std::uint32_t index) {
    states_[index].began(kDeleted);
    RemoveOptions options;
    options.missing_ok = true;
    auto r = co_await api_.remove(context(), name(index), std::move(options));
    settle(index, kDeleted, r.ok());
  }

  void settle(std::uint32_t index, std::uint32_t write, bool ok) {
    if (ok) states_[index].acknowledged(write);
    ++(ok ? counts_.acked : counts_.failed);
  }

  /// False when the object could not be read at all.
  Task<bool> check(std::uint32_t index, const char* when) {
    GetOptions options;
    auto stream = co_await api_.get(context(), name(index), std::move(options));
    std::uint32_t seen = kDeleted;
    if (stream) {
      auto body = co_await read_all(*stream->body, 1 << 20);
      if (!body) co_return false;
      const auto write = write_of(first_key_ + index, *body);
      if (!write) {
        violation(index, "is not one whole write");
        co_return true;
      }
      seen = *write;
    } else if (stream.error().code() != Errc::not_found) {
      co_return false;
    }
    ++counts_.reads;
    if (!states_[index].allows(seen)) {
      std::fprintf(stderr, "%s: k%u shows write %u, allowed:%s\n", when, first_key_ + index, seen,
                   states_[index].to_string().c_str());
      ++counts_.violations;
    }
    co_return true;
  }

  void violation(std::uint32_t index, const char* what) {
    std::fprintf(stderr, "k%u %s\n", first_key_ + index, what);
    ++counts_.violations;
  }

  ObjectApi& api_;
  Counts& counts_;
  const std::uint32_t first_key_;
  std::vector<KeyState> states_;
  std::uint32_t next_write_ = 0;
  std::mt19937 rng_;
};

Task<Result<int>> storm(ClusterClient& client,
                        std::vector<std::unique_ptr<Writer>>& writers,
                        const std::atomic<int>& killer_status,
                        const std::atomic<bool>& stop) {
  Context context{.deadline = Deadline::after(std::chrono::seconds(30))};
  BucketProps props;
  auto made = co_await client.create_bucket(context, native_bucket("storm"), props);
  if (!made && made.error().code() != Errc::already_exists) co_return std::move(made).error();
  std::vector<Task<Result<int>>> running;
  for (auto& writer : writers) running.push_back(writer->run(stop));
  co_await gather(std::move(running));
  if (killer_status != 0) co_return Error(Errc::io, "the killer failed; the cluster may be down");
  std::vector<Task<Result<int>>> checks;
  for (auto& writer : writers) checks.push_back(writer->check_all());
  co_await gather(std::move(checks));
  co_return 0;
}

int run(const Endpoint& endpoint, unsigned clients, unsigned keys, char** killer) {
  Runtime runtime(1);
  runtime.start();
  ClusterClientOptions options;
  options.endpoints = {endpoint};
  if (const char* key = std::getenv("AWS_ACCESS_KEY_ID")) options.credentials.access_key = key;
  if (const char* key = std::getenv("AWS_SECRET_ACCESS_KEY")) options.credentials.secret_key = key;
  auto client = runtime.run_on(0, ClusterClient::connect(runtime, options));
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().what().c_str());
    return 1;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(killer[0], killer);
    ::_exit(127);
  }
  std::atomic<bool> stop = false;
  std::atomic<int> killer_status = 0;
  std::thread waiter([&] {
    int status = 0;
    ::waitpid(child, &status, 0);
    killer_status = status;
    stop = true;
  });
  Counts counts;
  std::vector<std::unique_ptr<Writer>> writers;
  for (unsigned i = 0; i < clients; ++i) {
    writers.push_back(std::make_unique<Writer>(**client, counts, i * keys, keys));
  }
  auto result = runtime.run_on(0, storm(**client, writers, killer_status, stop));
  waiter.join();
  (*client)->stop();
  runtime.stop();
  std::printf("acknowledged %llu, failed %llu, read back %llu, violations %llu\n",
              static_cast<unsigned long long>(counts.acked),
              static_cast<unsigned long long>(counts.failed),
              static_cast<unsigned long long>(counts.reads),
              static_cast<unsigned long long>(counts.violations));
  if (!result) std::fprintf(stderr, "%s\n", result.error().what().c_str());
  return result && killer_status == 0 && counts.violations == 0 && counts.acked > 0 ? 0 : 1;
}

}  // namespace
}  // namespace aisfs

int main(int argc, char** argv) {
  const auto endpoint = aisfs::Endpoint::parse(argc > 4 ? argv[1] : "");
  if (!endpoint) {
    std::fprintf(stderr, "usage: storm ENDPOINT CLIENTS KEYS COMMAND...\n");
    return 2;
  }
  return aisfs::run(*endpoint, static_cast<unsigned>(std::atoi(argv[2])),
                    static_cast<unsigned>(std::atoi(argv[3])), argv + 4);
}
