// SPDX-License-Identifier: MIT
#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "node/store/slice_file.h"
#include "tests/fault/points/scenarios.h"

namespace aisfs::tests::points {
namespace {

constexpr BucketId kBucket{42};
constexpr std::size_t kBodyMax = 8 << 20;

Task<Result<std::string>> read(store::Store& store, store::Key key) {
  GetOptions options;
  CO_TRY(auto stream,
         co_await store.open_object(std::move(key), std::move(options), VerifyRead::kAlways));
  co_return co_await read_all(*stream.body, kBodyMax);
}

Task<Result<std::string>> read_content(store::Store& store, store::Reference content) {
  CO_TRY(auto stream, co_await store.open_content(kBucket, native_bucket("b"), std::move(content),
                                                  {}, VerifyRead::kAlways));
  co_return co_await read_all(*stream.body, kBodyMax);
}

std::string words_of(const Result<std::string>& body) {
  if (!body) return std::string(info(body.error().code()).name);
  return std::to_string(body->size()) + " bytes " + to_hex(xxh64(as_bytes(*body)));
}

std::string words_of(const std::map<std::string, std::string>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += " " + name + "=" + value.substr(0, 8);
  return text;
}

}  // namespace

store::Key key_of(const std::string& name) {
  return store::make_key(kBucket, {native_bucket("b"), name});
}

Bench::Bench(const std::string& dir) {
  store_ =
      std::make_unique<store::Store>(store::StoreOptions{.cluster_uuid = "c",
                                                         .node_id = "t1",
                                                         .mountpaths = {dir + "/m1", dir + "/m2"},
                                                         .threads = 2,
                                                         .reserve_bytes = 16_MiB,
                                                         .intent_bytes = 1_MiB},
                                     clock_);
}

Bench::~Bench() {
  if (scope_) close();
}

Status Bench::open() {
  CHECK_OK(store_->open());
  runtime_.start();
  runtime_.run_on(0, begin_background());
  return {};
}

void Bench::close() {
  runtime_.run_on(0, end_background());
  store_->close();
  store_.reset();
  runtime_.stop();
}

Task<void> Bench::begin_background() {
  scope_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
  scope_->spawn(store_->run());
}

Task<void> Bench::end_background() {
  scope_->cancel();
  try {
    co_await scope_->join();
  } catch (const std::exception&) {  // cancelled in a wait
  }
  scope_.reset();
}

Status Bench::put(store::Key key, const std::string& body, PutOptions options) {
  StringSource source(body);
  const auto done = run(store_->put(std::move(key), std::move(options), {}, source));
  return done ? Status() : Status(done.error());
}

Status Bench::put(const std::string& key, const std::string& body, PutOptions options) {
  return put(key_of(key), body, std::move(options));
}

Result<std::string> Bench::get(const std::string& key) { return run(read(*store_, key_of(key))); }

bool Bench::all_in() const {
  const StorageInfo info = store_->storage();
  return std::ranges::all_of(info.mountpaths, [](const auto& m) { return m.state == "active"; });
}

Status Bench::enable_all() {
  for (const MountpathInfo& info : store_->storage().mountpaths) {
    if (info.state != "active") CHECK_OK(run(store_->enable(info.path)));
  }
  for (bool settled = false; !settled;) {
    TRY(settled, run(store_->settle_names()));
  }
  return {};
}

std::string Bench::view() {
  std::string text;
  ListOptions options{.limit = 1000};
  options.attributes = options.versions = true;
  const auto page = run(store_->list(kBucket, std::move(options)));
  if (!page) return "LIST " + std::string(info(page.error().code()).name) + "\n";
  std::size_t versions = 0;
  for (const ListEntry& entry : page->entries) {
    const std::string plain = entry.key.substr(0, entry.key.find('\0'));
    const bool kept = plain.size() != entry.key.size();
    if (kept) {
      const auto found = store_->find_version(key_of(entry.key));
      if (found && found->key.key() != entry.key) continue;  // a second name of the current one
    }
    const auto reference = store_->resolve(key_of(entry.key));
    const bool refers = reference && reference->has_value();
    if (refers && store::is_sliced(**reference)) {
      text += plain + " in slices";
    } else if (refers) {
      text += plain + " " + words_of(run(read_content(*store_, **reference)));
    } else {
      text += (kept ? plain + " kept " + std::to_string(++versions) : plain) + " " +
              words_of(get(entry.key));
    }
    text += words_of(entry.info.user) + "\n";
  }
  for (const char* gone : {"name", "to"}) {
    const auto head = run(store_->head(key_of(gone)));
    if (!head) text += std::string(gone) + " " + std::string(info(head.error().code()).name) + "\n";
  }
  const auto slices = run(store_->slices_here(kBucket, native_bucket("b"),
                                              {store::sliced("sliced", {2, 1}, Version{1, 1, 1})}));
  text += slices && slices->front().any() ? "a slice\n" : "no slice\n";
  return text;
}

}  // namespace aisfs::tests::points
