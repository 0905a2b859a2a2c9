// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/stock.h"

#include <optional>
#include <set>

namespace aisfs::tests::scale {
namespace {

using std::chrono::milliseconds;

constexpr Duration kAttempt = seconds(5);
constexpr Duration kGiveUpAfter = seconds(30);
constexpr Duration kPause = milliseconds(100);  // between attempts of a program
constexpr Duration kTurn = milliseconds(40);    // of one client: 25 operations a second
constexpr std::size_t kOwnKeys = 40;            // of each client and bucket
constexpr std::size_t kBodyMax = 4 << 20;
constexpr std::size_t kLoaders = 6;
constexpr std::size_t kWrongMax = 10;  // of a bucket: each may take its half a minute

/// Bytes that no other text gives.
std::string filled(const std::string& text, std::size_t size) {
  std::string body = text + "\n";
  std::uint64_t state = std::hash<std::string>()(text) | 1;
  while (body.size() < size) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    body += static_cast<char>(state >> 56);
  }
  return body;
}

Task<Status> put_once(ObjectApi& api, ObjectName name, std::string body) {
  StringSource source(std::move(body));
  PutOptions options;
  ExpectedChecksums expected;
  CO_TRY([[maybe_unused]] const auto info,
         co_await api.put(User::within(kAttempt), std::move(name), std::move(options),
                          std::move(expected), source));
  co_return Status{};
}

Task<Result<std::string>> get_once(ObjectApi& api, ObjectName name) {
  GetOptions options;
  CO_TRY(auto stream,
         co_await api.get(User::within(kAttempt), std::move(name), std::move(options)));
  co_return co_await read_all(*stream.body, kBodyMax);
}

struct Attempts {
  std::size_t retries = 0;
  Duration waited{};
};

/// `once` until it succeeds, or answers that there is no such object, or the time is over.
template <class Once>
auto persist(Once once, Attempts& attempts) {
  const TimePoint began = std::chrono::steady_clock::now();
  for (;; ++attempts.retries) {
    auto result = once();
    attempts.waited = std::chrono::steady_clock::now() - began;
    if (result.ok() || result.error() == Errc::not_found || attempts.waited >= kGiveUpAfter) {
      return result;
    }
    std::this_thread::sleep_for(kPause);
  }
}

/// The names of the bucket, all pages.
Result<std::set<std::string>> list_all(storm::Doors& doors, const BucketName& bucket) {
  std::set<std::string> names;
  std::string after;
  for (bool more = true; more;) {
    Attempts attempts;
    const auto page = persist(
        [&] {
          ListOptions options{.after = after};
          return doors.run(
              doors.straight().list(User::within(kAttempt), bucket, std::move(options)));
        },
        attempts);
    if (!page) return page.error();
    for (const ListEntry& entry : page->entries) {
      if (!names.insert(entry.key).second) {
        return Error(Errc::internal, entry.key + " is listed twice");
      }
    }
    more = page->more;
    after = page->next;
  }
  return names;
}

}  // namespace

/// One client, and what it knows must be there.
class Stock::Clerk {
 public:
  Clerk(Stock& stock, storm::Doors& doors, std::size_t number, std::uint64_t seed)
      : stock_(stock), doors_(doors), number_(number), random_(seed) {}

  void run() {
    for (TimePoint turn = std::chrono::steady_clock::now(); !stock_.ending_;) {
      const StockBucket& bucket = stock_.buckets_[random_() % stock_.buckets_.size()];
      step(bucket.name);
      turn = std::max(turn + kTurn, std::chrono::steady_clock::now());
      std::this_thread::sleep_until(turn);
    }
  }

 private:
  void step(const BucketName& bucket) {
    Shelf& shelf = stock_.shelf(bucket);
    const std::shared_lock lock(shelf.in_use);
    if (shelf.left) return;
    const std::size_t what = random_() % 100;
    if (what < 70) {
      const std::size_t object = random_() % stock_.objects_;
      return read(bucket, key(object), stock_.body(bucket, object));
    }
    const std::string key =
        "own/" + std::to_string(number_) + "/" + std::to_string(random_() % kOwnKeys);
    std::optional<std::string> there;
    {
      const std::lock_guard guard(shelf.mutex);
      const auto found = shelf.own.find(key);
      if (found != shelf.own.end()) there = found->second;
    }
    const bool free = !uncertain_.contains(bucket.name + "/" + key);
    if (what < 80 || !free) return read(bucket, key, there);
    if (what < 94) return put(bucket, shelf, key);
    if (there) remove(bucket, shelf, key);
  }

  void read(const BucketName& bucket,
            const std::string& key,
            const std::optional<std::string>& expected) {
    Attempts attempts;
    const auto got =
        persist([&] { return doors_.run(get_once(doors_.straight(), {bucket, key})); }, attempts);
    const std::string what = "get " + bucket.name + "/" + key + ": ";
    if (got && !expected) return stock_.tally_.failed(what + "it was removed, and is there");
    if (got && *got != *expected) return stock_.tally_.failed(what + "other bytes");
    if (!got && (expected || got.error() != Errc::not_found)) {
      return stock_.tally_.failed(what + got.error().what());
    }
    stock_.tally_.did(Tally::Kind::kRead, attempts.waited, attempts.retries);
  }

  void put(const BucketName& bucket, Shelf& shelf, const std::string& key) {
    const std::string body =
        filled(bucket.name + "/" + key + " " + std::to_string(++puts_), 100 + random_() % 20'000);
    Attempts attempts;
    const Status done = persist(
        [&] { return doors_.run(put_once(doors_.straight(), {bucket, key}, body)); }, attempts);
    note(bucket, key, attempts, "put", done);
    const std::lock_guard guard(shelf.mutex);
    shelf.own[key] = body;
  }

  void remove(const BucketName& bucket, Shelf& shelf, const std::string& key) {
    Attempts attempts;
    const Status done = persist(
        [&] {
          RemoveOptions options{.missing_ok = true};
          return doors_.run(
              doors_.straight().remove(User::within(kAttempt), {bucket, key}, std::move(options)));
        },
        attempts);
    note(bucket, key, attempts, "remove", done);
    const std::lock_guard guard(shelf.mutex);
    shelf.own.erase(key);
  }

  /// What was asked twice may be done twice, and the second time late: the name is left as it is.
  void note(const BucketName& bucket,
            const std::string& key,
            const Attempts& attempts,
            const char* what,
            const Status& done) {
    if (attempts.retries > 0) uncertain_.insert(bucket.name + "/" + key);
    if (done) return stock_.tally_.did(Tally::Kind::kWrite, attempts.waited, attempts.retries);
    stock_.tally_.failed(std::string(what) + " " + bucket.name + "/" + key + ": " +
                         done.error().what());
  }

  Stock& stock_;
  storm::Doors& doors_;
  const std::size_t number_;
  storm::Random random_;
  std::set<std::string> uncertain_;
  std::size_t puts_ = 0;
};

Stock::Stock(std::vector<StockBucket> buckets, std::size_t objects, Tally& tally)
    : buckets_(std::move(buckets)), objects_(objects), tally_(tally) {
  for (const StockBucket& bucket : buckets_) {
    shelves_[bucket.name.name] = std::make_unique<Shelf>();
  }
}

std::string Stock::key(std::size_t object) {
  return "stock/" + std::to_string(object / 100) + "/" + std::to_string(object);
}

/// From 1 KiB to 16 KiB, and a few larger ones.
std::string Stock::body(const BucketName& bucket, std::size_t object) const {
  const std::size_t size = object % 50 == 49 ? 400'000 : 1024 + object * 911 % 15'000;
  return filled(bucket.name + "/" + key(object), size);
}

Status Stock::put_all(const storm::Nodes& nodes) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Status all;
  const auto work = [&] {
    storm::Doors doors([&nodes] { return nodes.endpoints(); }, nodes.admin());
    Status status =
        doors.why_not().empty() ? Status() : Status(Error(Errc::unreachable, doors.why_not()));
    for (std::size_t i = next++; status && i < objects_ * buckets_.size(); i = next++) {
      const BucketName& bucket = buckets_[i % buckets_.size()].name;
      const std::size_t object = i / buckets_.size();
      Attempts attempts;
      status = persist(
          [&] {
            return doors.run(
                put_once(doors.straight(), {bucket, key(object)}, body(bucket, object)));
          },
          attempts);
    }
    const std::lock_guard lock(mutex);
    if (!status) all = std::move(status);
  };
  {
    storm::Doors doors([&nodes] { return nodes.endpoints(); }, nodes.admin());
    if (!doors.why_not().empty()) return Error(Errc::unreachable, doors.why_not());
    for (const StockBucket& bucket : buckets_) {
      const auto made = doors.run(
          doors.straight().create_bucket(User::within(seconds(20)), bucket.name, bucket.props));
      if (!made) return made.error();
    }
  }
  std::vector<std::thread> loaders;
  for (std::size_t i = 0; i < kLoaders; ++i) loaders.emplace_back(work);
  for (std::thread& loader : loaders) loader.join();
  return all;
}

void Stock::start_clients(const storm::Nodes& nodes, std::size_t clients, std::uint64_t seed) {
  const Credentials keys = nodes.admin();
  for (std::size_t i = 0; i < clients; ++i) {
    threads_.emplace_back([this, &nodes, keys, i, seed] {
      storm::Doors doors([&nodes] { return nodes.endpoints(); }, keys);
      if (!doors.why_not().empty()) return tally_.failed("a client: " + doors.why_not());
      Clerk(*this, doors, i, seed * 1000 + i).run();
    });
  }
}

void Stock::end() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Stock::leave(const BucketName& bucket) {
  Shelf& left = shelf(bucket);
  left.left = true;
  const std::lock_guard wait_for_those_in_it(left.in_use);
}

std::vector<std::string> Stock::verify(storm::Doors& doors, const BucketName& bucket) const {
  std::vector<std::string> wrong;
  Shelf& checked = shelf(bucket);
  const std::lock_guard lock(checked.mutex);
  Bodies expected = checked.own;
  for (std::size_t i = 0; i < objects_; ++i) expected[key(i)] = body(bucket, i);
  for (const auto& [key, body] : expected) {
    if (wrong.size() >= kWrongMax) return wrong;
    Attempts attempts;
    const auto got =
        persist([&] { return doors.run(get_once(doors.straight(), {bucket, key})); }, attempts);
    if (got && *got == body) continue;
    wrong.push_back("lost: " + bucket.name + "/" + key + ": " +
                    (got ? "other bytes" : got.error().what()));
  }
  const auto names = list_all(doors, bucket);
  if (!names) {
    wrong.push_back("list of " + bucket.name + ": " + names.error().what());
    return wrong;
  }
  for (const std::string& name : *names) {
    const bool ours = name.starts_with("stock/") || name.starts_with("own/");
    if (ours && !expected.contains(name)) {
      wrong.push_back("resurrected: " + bucket.name + "/" + name);
    }
  }
  for (const auto& [key, _] : expected) {
    if (!names->contains(key)) wrong.push_back("not listed: " + bucket.name + "/" + key);
  }
  return wrong;
}

}  // namespace aisfs::tests::scale
