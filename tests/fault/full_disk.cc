// SPDX-License-Identifier: MIT
// A disk that is full: PUT fails cleanly, what is there stays readable, deletes work and make room.
// Needs root (mount).
#include <cstdio>
#include <cstdlib>

#include "common/async/runtime.h"
#include "tests/fault/store_storm.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests;

store::Key key_of(int i) {
  return store::make_key(BucketId{1}, {native_bucket("full"), "o" + std::to_string(i)});
}

Task<Status> put(store::Store& store, int i, char fill) {
  StringSource body(std::string(1 << 20, fill));
  PutOptions options{.level = Durability::kFull};
  ExpectedChecksums expected;
  auto info = co_await store.put(key_of(i), std::move(options), std::move(expected), body);
  co_return info ? Status() : Status(std::move(info).error());
}

Task<bool> holds(store::Store& store, int i, char fill) {
  GetOptions options;
  auto stream = co_await store.open_object(key_of(i), std::move(options), VerifyRead::kAlways);
  if (!stream) co_return false;
  const auto body = co_await read_all(*stream->body, 2_MiB);
  co_return body && *body == std::string(1 << 20, fill);
}

bool expect(bool good, const char* what) {
  std::printf("%-50s %s\n", what, good ? "yes" : "NO");
  return good;
}

Task<bool> fill_and_drain(store::Store& store) {
  int count = 0;
  Status last;
  while (count < 1000 && (last = co_await put(store, count, 'a'))) ++count;
  bool good = expect(!last.ok() && last.error().code() == Errc::no_space, "a full disk is no_space");
  const Status over = co_await put(store, 0, 'b');
  good &= expect(!over.ok(), "an overwrite fails too");
  const bool intact = co_await holds(store, 0, 'a');
  good &= expect(intact, "and leaves the old version");
  for (int i = 1; i < count; ++i) {
    RemoveOptions options;
    const Status gone = co_await store.remove(key_of(i), std::move(options), Durability::kFull);
    if (!gone) good = expect(false, gone.error().what().c_str());
  }
  const Status again = co_await put(store, 0, 'b');
  good &= expect(again.ok(), "deletes work and make room");
  const bool replaced = co_await holds(store, 0, 'b');
  good &= expect(replaced, "for a new version");
  co_return good;
}

}  // namespace

int main() {
  if (!keep_mounts_to_itself()) return 2;
  char name[] = "/tmp/aisfs-store-full-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  if (!run_command("mkdir " + dir + "/mnt && truncate -s 64M " + dir + "/image && mkfs.ext4 -q -F -b 4096 " +
                   dir + "/image && mount -o loop " + dir + "/image " + dir + "/mnt && mkdir " + dir +
                   "/mnt/m1")) {
    return 2;
  }
  bool good = false;
  {
    RealClock clock;
    Runtime runtime(1);
    store::Store store({.cluster_uuid = "c", .node_id = "t", .mountpaths = {dir + "/mnt/m1"}}, clock);
    if (Status st = store.open(); !st) {
      std::fprintf(stderr, "%s\n", st.error().what().c_str());
    } else {
      runtime.start();
      good = runtime.run_on(0, fill_and_drain(store));
      store.close();
    }
  }
  const bool clean = run_command("umount " + dir + "/mnt && rm -rf " + dir);
  return good && clean ? 0 : 1;
}
