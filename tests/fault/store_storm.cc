// SPDX-License-Identifier: MIT
#include "tests/fault/store_storm.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>

#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "common/model/version_key.h"

namespace aisfs::tests {
namespace {

constexpr BucketId kBucket{7};

store::Key key_of(int writer, int name) {
  // Some deep, some flat: folders are made and pruned all the time.
  const std::string folder = name % 3 == 0 ? "d" + std::to_string(name % 7) + "/e/" : "";
  store::Key key = store::make_key(
      kBucket,
      {native_bucket("storm"), folder + "w" + std::to_string(writer) + "-" + std::to_string(name)});
  if (name % 4 == 1) key.versioning = Versioning::kEnabled;
  return key;
}

bool keeps_versions(const store::Key& key) { return key.versioning != Versioning::kOff; }

bool is_delete(std::uint64_t op) { return op % 5 == 0; }

/// The bytes of operation `op` of a name, told by their first 16.
std::string body_of(int writer, int name, std::uint64_t op) {
  const std::uint64_t id = static_cast<std::uint64_t>(writer) * 1000 + static_cast<unsigned>(name);
  std::mt19937_64 random(id * 1'000'003 + op);
  std::size_t size = 16 + random() % 12'000;
  if (random() % 8 == 0) size = 60'000 + random() % 200'000;  // around the end of small bodies
  if (random() % 64 == 0) size = (1 << 20) + random() % (1 << 20);
  std::string body(size, '\0');
  for (std::size_t i = 16; i + 8 <= size; i += 8) {
    const std::uint64_t word = random();
    std::memcpy(&body[i], &word, 8);
  }
  std::memcpy(&body[0], &id, 8);
  std::memcpy(&body[8], &op, 8);
  return body;
}

store::StoreOptions store_options(const StormOptions& options) {
  static std::uint32_t incarnation = static_cast<std::uint32_t>(::getpid());
  return {.cluster_uuid = "storm",
          .node_id = "t1",
          .incarnation = incarnation,
          .mountpaths = options.mountpaths,
          .reserve_bytes = 16_MiB,
          .intent_bytes = incarnation % 2 == 0 ? 1_MiB : 64_MiB};  // the small one is soon full
}

struct Writer {
  store::Store& store;
  StormLedger& ledger;
  const StormOptions& options;
  int index;
  std::mt19937 random;
};

Task<Status> one_operation(Writer& w, int name, std::uint64_t op) {
  const Durability level = w.options.levels[w.random() % w.options.levels.size()];
  if (is_delete(op) && keeps_versions(key_of(w.index, name))) {
    Conditions none;
    CO_TRY(const auto marker,
           co_await w.store.put_delete_marker(key_of(w.index, name), std::move(none), level));
    co_return is_delete_marker(marker) ? Status() : Errc::internal;
  }
  if (is_delete(op)) {
    RemoveOptions remove{.missing_ok = true};
    co_return co_await w.store.remove(key_of(w.index, name), std::move(remove), level);
  }
  PutOptions put{.level = level, .user = {{"op", std::to_string(op)}}};
  StringSource body(body_of(w.index, name, op));
  ExpectedChecksums expected;
  CO_TRY(const auto info, co_await w.store.put(key_of(w.index, name), std::move(put),
                                               std::move(expected), body));
  co_return info.size > 0 ? Status() : Errc::internal;
}

/// The operation whose bytes and metadata these are; nullopt when they belong to none.
std::optional<std::uint64_t> operation_of(int writer,
                                          int name,
                                          const ObjectInfo& info,
                                          const std::string& body) {
  const auto op = info.user.find("op");
  if (op == info.user.end() || info.size != body.size()) return std::nullopt;
  const std::uint64_t n = std::strtoull(op->second.c_str(), nullptr, 10);
  if (body != body_of(writer, name, n)) return std::nullopt;
  return n;
}

struct Seen {
  bool there = false;
  bool torn = false;
  std::uint64_t op = 0;
};

Task<Result<Seen>> look(store::Store& store, store::Key key, int writer, int name) {
  GetOptions get;
  auto stream = co_await store.open_object(std::move(key), std::move(get), VerifyRead::kAlways);
  if (!stream) {
    if (stream.error().code() == Errc::not_found) co_return Seen{};
    if (stream.error().code() == Errc::corrupt) co_return Seen{.there = true, .torn = true};
    co_return std::move(stream).error();
  }
  auto body = co_await read_all(*stream->body, 16_MiB);
  if (!body) co_return Seen{.there = true, .torn = true};
  const auto op = operation_of(writer, name, stream->info, *body);
  co_return Seen{.there = true, .torn = !op, .op = op.value_or(0)};
}

Task<void> read_somebody(Writer& w) {
  const int writer = static_cast<int>(w.random() % StormLedger::kWriters);
  const int name = static_cast<int>(w.random() % StormLedger::kNames);
  const std::uint64_t before = w.ledger.names[writer][name].acked;
  store::Key key = key_of(writer, name);
  auto seen = co_await look(w.store, std::move(key), writer, name);
  if (w.ledger.dying || !seen) co_return;
  const std::uint64_t started = w.ledger.names[writer][name].started;
  const bool right = seen->there ? !seen->torn && seen->op >= before && seen->op <= started
                                 : before == 0 || is_delete(before) || started > before;
  if (!right) {
    ++w.ledger.wrong_reads;
    std::fprintf(stderr, "wrong read: writer %d name %d there %d torn %d op %lu, acked %lu started %lu\n",
                 writer, name, seen->there, seen->torn, seen->op, before, started);
  }
}

Task<void> write_on(Writer w) {
  while (true) {
    const int name = static_cast<int>(w.random() % StormLedger::kNames);
    auto& state = w.ledger.names[w.index][name];
    const std::uint64_t op = state.started + 1;
    state.started = op;
    const Status done = co_await one_operation(w, name, op);
    if (w.ledger.dying) co_return;
    if (!done) {
      std::fprintf(stderr, "a write failed: %s\n", done.error().what().c_str());
      co_return;
    }
    state.acked = op;
    ++w.ledger.operations;
    if (w.random() % 4 == 0) co_await read_somebody(w);
  }
}

Task<int> write_all(store::Store& store, StormLedger& ledger, const StormOptions& options, int half) {
  TaskScope scope(co_await asio::this_coro::executor);
  for (int i = half; i < StormLedger::kWriters; i += 2) {
    Writer writer{store, ledger, options, i, std::mt19937(std::random_device{}())};
    scope.spawn(write_on(std::move(writer)));
  }
  co_await scope.join();
  co_return 0;
}

void judge(StormVerdict& verdict, StormLedger::Name& state, const Seen& seen, int writer, int name) {
  const std::uint64_t acked = state.acked, started = state.started;
  const auto before = std::tuple(verdict.lost, verdict.resurrected, verdict.torn);
  if (seen.torn) {
    ++verdict.torn;
  } else if (!seen.there) {
    const bool may_be_gone = acked == 0 || is_delete(acked) || (started > acked && is_delete(started));
    if (!may_be_gone) ++verdict.lost;
  } else if (seen.op != acked && seen.op != started) {
    ++(acked != 0 && is_delete(acked) ? verdict.resurrected : verdict.lost);
  } else if (seen.op == acked && is_delete(acked)) {
    ++verdict.resurrected;
  }
  if (before != std::tuple(verdict.lost, verdict.resurrected, verdict.torn)) {
    std::fprintf(stderr, "  writer %d name %d: acked %lu started %lu, found %s %lu%s\n", writer, name,
                 acked, started, seen.there ? "op" : "nothing", seen.op, seen.torn ? " torn" : "");
  }
}

/// Every PUT that was acknowledged since the last check is kept, whole. Then what is kept goes,
/// oldest first, so that nothing becomes the current version.
Task<Status> check_history(store::Store& store,
                           StormLedger::Name& state,
                           Seen current,
                           int writer,
                           int name,
                           StormVerdict& verdict) {
  const store::Key key = key_of(writer, name);
  std::set<std::uint64_t> ops;
  if (current.there) ops.insert(current.op);
  ListOptions list{.prefix = version_key(key.key(), ""), .limit = 10'000};
  list.attributes = list.versions = true;
  CO_TRY(const auto page, co_await store.list(kBucket, std::move(list)));
  for (auto entry = page.entries.rbegin(); entry != page.entries.rend(); ++entry) {
    store::Key kept = store::make_key(kBucket, {key.name.bucket, entry->key});
    if (!is_delete_marker(entry->info)) {
      ++verdict.versions;
      CO_TRY(const Seen seen, co_await look(store, kept, writer, name));
      seen.torn || !seen.there ? void(++verdict.torn) : void(ops.insert(seen.op));
    }
    CO_TRY(const auto found, store.find_version(kept));
    if (found.key.key() != entry->key) continue;  // a second name of the current one
    Conditions none;
    CO_CHECK_OK(co_await store.remove_version(std::move(kept), std::move(none), Durability::kFull));
  }
  for (std::uint64_t op = state.base + 1; op <= state.acked; ++op) {
    if (is_delete(op) || ops.contains(op)) continue;
    ++verdict.lost;
    std::fprintf(stderr, "  writer %d name %d: version %lu is not kept\n", writer, name, op);
  }
  co_return Status{};
}

Task<Status> check_names(store::Store& store, StormLedger& ledger, StormVerdict& verdict) {
  std::set<std::string> found;
  for (int writer = 0; writer < StormLedger::kWriters; ++writer) {
    for (int name = 0; name < StormLedger::kNames; ++name) {
      const store::Key key = key_of(writer, name);
      CO_TRY(const Seen seen, co_await look(store, key, writer, name));
      ++verdict.names;
      if (seen.there) found.insert(key_of(writer, name).key());
      auto& state = ledger.names[writer][name];
      judge(verdict, state, seen, writer, name);
      if (keeps_versions(key)) {
        CO_CHECK_OK(co_await check_history(store, state, seen, writer, name, verdict));
      }
      // What is there is the truth of the next round. A delete that was in flight and happened
      // looks like the acknowledged state before it: go on behind both.
      const std::uint64_t top = state.started;
      state.started = state.acked = seen.there ? seen.op : (top + 4) / 5 * 5;
      if (seen.there && seen.op < top) state.started = state.acked = (top + 5) / 5 * 5 + 5;
      if (seen.there && seen.op < top) {
        RemoveOptions remove;
        CO_CHECK_OK(co_await store.remove(key_of(writer, name), std::move(remove), Durability::kFull));
        found.erase(key_of(writer, name).key());
      }
      state.base = state.started.load();
    }
  }
  verdict.objects = found.size();
  ListOptions list{.limit = 10'000};
  CO_TRY(const auto page, co_await store.list(kBucket, std::move(list)));
  std::set<std::string> listed;
  for (const auto& entry : page.entries) listed.insert(entry.key);
  if (listed != found) ++verdict.listing;
  co_return Status{};
}

}  // namespace

StormLedger* map_ledger(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(StormLedger)) != 0) {
    std::perror(path.c_str());
    std::abort();
  }
  void* memory = ::mmap(nullptr, sizeof(StormLedger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return static_cast<StormLedger*>(memory);
}

namespace {

/// Until the process is killed.
Task<void> come_and_go(store::Store& store, std::string path) {
  for (bool in = false;; in = !in) {
    const Status done = in ? co_await store.detach(path, store::Store::Emptying::kFirst)
                           : co_await store.attach(path);
    if (!done && done.error() != Errc::already_exists) {
      std::fprintf(stderr, "%s: %s\n", path.c_str(), done.error().what().c_str());
    }
    for (bool settled = false; !settled;) {
      const auto round = co_await store.settle_names();
      settled = round && *round;
    }
  }
}

}  // namespace

int run_storm(const StormOptions& options) {
  StormLedger* ledger = map_ledger(options.ledger);
  RealClock clock;
  Runtime runtime(2);
  store::Store store(store_options(options), clock);
  if (Status st = store.open(); !st) {
    std::fprintf(stderr, "open: %s\n", st.error().what().c_str());
    return 3;
  }
  runtime.start();
  std::thread other([&] { runtime.run_on(1, write_all(store, *ledger, options, 1)); });
  std::thread mover([&] {
    if (!options.spare.empty()) runtime.run_on(1, come_and_go(store, options.spare));
  });
  runtime.run_on(0, write_all(store, *ledger, options, 0));
  std::_Exit(1);  // a write has failed; the other threads know no end
}

StormVerdict check_storm(const StormOptions& options) {
  StormVerdict verdict;
  StormLedger* ledger = map_ledger(options.ledger);
  RealClock clock;
  Runtime runtime(1);
  store::StoreOptions o = store_options(options);
  store::Store store(std::move(o), clock);
  if (Status st = store.open(); !st) {
    std::fprintf(stderr, "open after the crash: %s\n", st.error().what().c_str());
    verdict.lost = verdict.names = StormLedger::kWriters * StormLedger::kNames;
    return verdict;
  }
  for (const auto& report : store.recovery()) {
    verdict.open_seconds = std::max(verdict.open_seconds, report.took.count() / 1e9);
    verdict.rebuilt |= report.rebuilt;
  }
  runtime.start();
  if (Status st = runtime.run_on(0, check_names(store, *ledger, verdict)); !st) {
    std::fprintf(stderr, "check: %s\n", st.error().what().c_str());
    ++verdict.lost;
  }
  store.close();
  return verdict;
}

int start_child(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}

bool run_command(const std::string& command) {
  const int status = std::system(command.c_str());
  if (status != 0) std::fprintf(stderr, "failed: %s\n", command.c_str());
  return status == 0;
}

bool keep_mounts_to_itself() {
  const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!done) std::perror("a mount namespace of its own");
  return done;
}

}  // namespace aisfs::tests
