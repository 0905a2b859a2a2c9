// SPDX-License-Identifier: MIT
#include "tests/sim/mover.h"

#include <thread>

#include "tests/fault/cluster/nemesis.h"

namespace aisfs::tests::sim {
namespace {

using storm::draw;
using storm::draw_time;

constexpr std::size_t kBodyMax = 1 << 20;
constexpr std::size_t kRoundsMax = 40;
constexpr Duration kReadable = std::chrono::seconds(30);

Task<Result<ObjectInfo>> put_text(ObjectApi& api,
                                  Context context,
                                  ObjectName name,
                                  std::string text) {
  StringSource source(std::move(text));
  PutOptions options;
  ExpectedChecksums expected;
  co_return co_await api.put(std::move(context), std::move(name), std::move(options),
                             std::move(expected), source);
}

Task<Result<std::string>> get_text(ObjectApi& api, Context context, ObjectName name) {
  GetOptions options;
  CO_TRY(auto stream, co_await api.get(std::move(context), std::move(name), std::move(options)));
  co_return co_await read_all(*stream.body, kBodyMax);
}

Task<Result<UploadPart>> put_part(ObjectApi& api,
                                  Context context,
                                  ObjectName name,
                                  std::string upload,
                                  std::uint32_t number,
                                  std::string text) {
  StringSource source(std::move(text));
  ExpectedChecksums expected;
  co_return co_await api.put_part(std::move(context), std::move(name), std::move(upload), number,
                                  std::move(expected), source);
}

std::string shown(const std::string& value) {
  if (value.empty()) return "absent";
  return std::to_string(value.size()) + " bytes of " + value.substr(0, value.find('\n'));
}

}  // namespace

Mover::Mover(std::uint32_t number, std::uint64_t seed) : number_(number), random_(seed) {}

void Mover::run(storm::Ledger& ledger, storm::Doors& doors) {
  using Step = void (Mover::*)(ObjectApi&, storm::Doors&, Round&);
  constexpr Step kSteps[] = {&Mover::copy, &Mover::upload, &Mover::rename, &Mover::rename};
  while (!ledger.is_over() && rounds_.size() < kRoundsMax) {
    const std::string name = std::to_string(number_) + "-" + std::to_string(next_name_++);
    Round round{
        .a = (random_() % 2 == 0 ? "a" : "d/a") + name, .b = "b" + name, .what = {}, .may = {}};
    time_ = draw_time(random_, std::chrono::milliseconds(300), std::chrono::seconds(5));
    const Step step = kSteps[random_() % std::size(kSteps)];
    const auto nodes = doors.nodes();
    if (nodes.empty() || random_() % 2 == 0) {
      (this->*step)(doors.straight(), doors, round);
    } else {
      RemoteNode node = doors.through(nodes[random_() % nodes.size()]);
      (this->*step)(node, doors, round);
    }
    if (!round.may.empty()) {
      check(doors.straight(), doors, round, std::chrono::seconds(2), false);
      rounds_.push_back(std::move(round));
    }
    std::this_thread::sleep_for(
        draw_time(random_, std::chrono::milliseconds(20), std::chrono::seconds(1)));
  }
}

void Mover::look(storm::Doors& doors) {
  for (const Round& round : rounds_) check(doors.straight(), doors, round, kReadable, true);
}

Mover::Value Mover::new_value(std::size_t bytes_max) {
  Value value =
      "value " + std::to_string(number_) + " " + std::to_string(random_() % 1'000'000) + "\n";
  value.resize(value.size() + draw(random_, 0, bytes_max), static_cast<char>('a' + random_() % 26));
  return value;
}

bool Mover::put(ObjectApi& api, storm::Doors& doors, const std::string& key, const Value& value) {
  return doors.run(put_text(api, within(), {kMovedBucket, key}, value)).ok();
}

void Mover::rename(ObjectApi& api, storm::Doors& doors, Round& round) {
  const Value value = new_value(100'000), old = random_() % 2 == 0 ? new_value(2000) : Value();
  // One that failed may happen later: the round is over.
  if (!put(api, doors, round.a, value)) return;
  if (!old.empty() && !put(api, doors, round.b, old)) return;
  RenameOptions options;
  const auto done = doors.run(
      api.rename(within(), {kMovedBucket, round.a}, {kMovedBucket, round.b}, std::move(options)));
  round.what = "rename of " + round.a + " to " + round.b + (done ? "" : ", " + done.error().what());
  round.may.insert({"", value});
  if (!done) round.may.insert({value, old});
}

void Mover::copy(ObjectApi& api, storm::Doors& doors, Round& round) {
  const Value value = new_value(100'000);
  if (!put(api, doors, round.a, value)) return;
  CopyOptions options;
  const auto done = doors.run(
      api.copy(within(), {kMovedBucket, round.a}, {kMovedBucket, round.b}, std::move(options)));
  round.what = "copy of " + round.a + " to " + round.b + (done ? "" : ", " + done.error().what());
  round.may.insert({value, value});
  if (!done) round.may.insert({value, ""});
}

void Mover::upload(ObjectApi& api, storm::Doors& doors, Round& round) {
  const ObjectName name{kMovedBucket, round.a};
  PutOptions options;
  const auto id = doors.run(api.create_upload(within(), name, std::move(options)));
  if (!id) return;
  Value whole;
  std::vector<CompletedPart> parts;
  for (std::uint32_t number = 1; number <= draw(random_, 1, 3); ++number) {
    const Value text = new_value(80'000);
    const auto part = doors.run(put_part(api, within(), name, *id, number, text));
    if (!part) break;
    parts.push_back({number, part->etag});
    whole += text;
  }
  round.what = "upload to " + round.a;
  if (parts.empty() || random_() % 4 == 0) {
    const Status aborted = doors.run(api.abort_upload(within(), name, *id));
    round.what += aborted ? ", aborted" : ", abort: " + aborted.error().what();
    round.may.insert({"", ""});
    return;
  }
  const auto done = doors.run(api.complete_upload(within(), name, *id, std::move(parts), {}));
  if (!done) round.what += ", " + done.error().what();
  round.may.insert({whole, ""});
  if (!done) round.may.insert({"", ""});
}

std::optional<Mover::Value> Mover::get(ObjectApi& api,
                                       storm::Doors& doors,
                                       const std::string& key,
                                       Duration time) {
  auto got = doors.run(get_text(api, tests::User::within(time), {kMovedBucket, key}));
  if (got) return *std::move(got);
  if (got.error() == Errc::not_found) return Value();
  why_ = got.error().what();
  return std::nullopt;
}

void Mover::check(
    ObjectApi& api, storm::Doors& doors, const Round& round, Duration time, bool all_answer) {
  const auto a = get(api, doors, round.a, time), b = get(api, doors, round.b, time);
  if (all_answer && (!a || !b)) wrong_.push_back(round.what + ": nobody answers: " + why_);
  bool any = false;
  for (const Pair& may : round.may) {
    // While its fate is open it may happen between the two reads.
    const bool fits = round.may.size() == 1 || all_answer
                          ? (!a || *a == may.first) && (!b || *b == may.second)
                          : (!a || *a == may.first) || (!b || *b == may.second);
    any = any || fits;
  }
  if (any) return;
  wrong_.push_back(round.what + ": " + (a ? shown(*a) : "no answer") + " and " +
                   (b ? shown(*b) : "no answer"));
}

}  // namespace aisfs::tests::sim
