// SPDX-License-Identifier: MIT
#include "tests/fault/bit_flips/stock.h"

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::tests::flips {
namespace {

const BucketName kMirrored = native_bucket("mirrored"), kSliced = native_bucket("sliced");
constexpr std::size_t kSizes[] = {10, 3000, 70'000, 300'000, 1'300'000};
constexpr std::size_t kLeastSliced = 64 * 1024;
constexpr std::size_t kLongMetadata = 1500;  // goes into a side file
constexpr Duration kPatience = std::chrono::seconds(30);

Task<Result<ObjectInfo>> put_once(
    ObjectApi& api, Context context, ObjectName name, PutOptions options, std::string body) {
  StringSource source(std::move(body));
  ExpectedChecksums expected;
  co_return co_await api.put(std::move(context), std::move(name), std::move(options),
                             std::move(expected), source);
}

struct Whole {
  ObjectInfo info;
  std::string body;
};

Task<Result<Whole>> get_whole(ObjectApi& api, Context context, ObjectName name) {
  GetOptions options;
  CO_TRY(auto stream, co_await api.get(std::move(context), std::move(name), std::move(options)));
  CO_TRY(auto body, co_await read_all(*stream.body, 4 << 20));
  co_return Whole{std::move(stream.info), std::move(body)};
}

std::string noise(std::size_t size, Random& random) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() >> 24);
  return bytes;
}

Result<std::map<std::string, ObjectInfo>> list_all(User& user, const BucketName& bucket) {
  ListOptions options{.limit = 10'000};
  options.attributes = true;
  TRY(auto page, user.run(user.api().list(User::within(kPatience), bucket, std::move(options))));
  std::map<std::string, ObjectInfo> all;
  for (ListEntry& entry : page.entries) all.emplace(entry.key, std::move(entry.info));
  return all;
}

}  // namespace

Stock::Stock(std::size_t objects, std::uint64_t seed) : random_(seed) {
  for (std::size_t i = 0; i < objects; ++i) {
    Object object{.bucket = i % 2 == 0 ? kMirrored : kSliced};
    object.key = (i % 3 == 0 ? "dir/o" : "o") + std::to_string(i);
    objects_.push_back(std::move(object));
  }
}

Status Stock::fill(User& user) {
  BucketProps mirrored{.copies = kLosses + 1};
  BucketProps sliced{};
  sliced.erasure = {.data = 2, .parity = kLosses, .least_bytes = kLeastSliced};
  for (const auto& [name, props] : {std::pair(kMirrored, mirrored), std::pair(kSliced, sliced)}) {
    const auto made = user.run(user.api().create_bucket(User::within(kPatience), name, props));
    if (!made) return made.error();
  }
  for (Object& object : objects_) CHECK_OK(put(user, object));
  return learn(user);
}

Status Stock::put(User& user, Object& object) {
  ++writes_;
  object.body = noise(kSizes[random_() % std::size(kSizes)] + random_() % 50, random_);
  object.user = {{"write", std::to_string(writes_)}};
  if (random_() % 3 == 0) object.user["long"] = std::string(kLongMetadata, 'm');
  PutOptions options{.user = object.user};
  const auto put = user.run(put_once(user.api(), User::within(kPatience),
                                     {object.bucket, object.key}, std::move(options), object.body));
  if (!put) return put.error();
  object.there = true;
  return {};
}

Status Stock::change(User& user) {
  for (Object& object : objects_) {
    const std::uint64_t what = random_() % 16;
    if (object.there ? what == 0 : what < 8) {
      CHECK_OK(put(user, object));
    } else if (object.there && what == 1) {
      RemoveOptions options;
      CHECK_OK(user.run(user.api().remove(User::within(kPatience), {object.bucket, object.key},
                                          std::move(options))));
      object.there = false;
    }
  }
  return learn(user);
}

/// What the cluster says of everything while nothing is damaged.
Status Stock::learn(User& user) {
  TRY(const auto mirrored, list_all(user, kMirrored));
  TRY(const auto sliced, list_all(user, kSliced));
  for (Object& object : objects_) {
    if (!object.there) continue;
    const ObjectName name{object.bucket, object.key};
    TRY(object.info, user.run(user.api().head(User::within(kPatience), name, {})));
    const auto& listed = object.bucket == kMirrored ? mirrored : sliced;
    const auto entry = listed.find(object.key);
    if (entry == listed.end()) return Error(Errc::internal, object.key + " is not listed");
    object.listed = entry->second;
  }
  return {};
}

std::map<std::string, bool> Stock::there() const {
  std::map<std::string, bool> all;
  for (const Object& object : objects_) {
    if (!object.there) continue;
    const std::string hash = to_hex(xxh64(as_bytes(object.key)));
    const bool sliced = object.bucket == kSliced && object.body.size() >= kLeastSliced;
    all["@ais/" + object.bucket.name + "/" + hash] = sliced;
  }
  return all;
}

void Stock::look_at(User& user, const Object& object, std::vector<std::string>& wrong) {
  const ObjectName name{object.bucket, object.key};
  const auto got = user.run(get_whole(user.api(), User::within(kPatience), name));
  const auto head = user.run(user.api().head(User::within(kPatience), name, {}));
  reads_ += 2;
  const auto say = [&](const std::string& what) { wrong.push_back(name.display() + ": " + what); };
  if (!object.there) {
    if (got || got.error() != Errc::not_found) say("GET of what was removed");
    if (head || head.error() != Errc::not_found) say("HEAD of what was removed");
    return;
  }
  if (!got) return say("GET " + got.error().what());
  if (!head) return say("HEAD " + head.error().what());
  if (got->body != object.body) say("GET other bytes");
  if (got->info.user != object.user) say("GET other metadata");
  if (!(*head == object.info)) say("HEAD other metadata");
}

std::vector<std::string> Stock::look(User& user) {
  std::vector<std::string> wrong;
  for (const Object& object : objects_) look_at(user, object, wrong);
  for (const BucketName& bucket : {kMirrored, kSliced}) {
    const auto listed = list_all(user, bucket);
    if (!listed) {
      wrong.push_back("LIST " + listed.error().what());
      continue;
    }
    std::size_t there = 0;
    for (const Object& object : objects_) {
      if (object.bucket != bucket || !object.there) continue;
      ++there;
      const auto entry = listed->find(object.key);
      if (entry == listed->end()) {
        wrong.push_back("LIST lacks " + object.key);
      } else if (!(entry->second == object.listed)) {
        wrong.push_back("LIST other metadata of " + object.key);
      }
    }
    if (listed->size() != there) wrong.push_back("LIST has names that were removed");
  }
  return wrong;
}

}  // namespace aisfs::tests::flips
