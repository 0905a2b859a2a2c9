// SPDX-License-Identifier: MIT
#include "tests/unit/kit/register_sim.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace aisfs::tests::history {
namespace {

constexpr ValueId kNeverWritten{std::uint64_t{1} << 60};

struct Object {
  ValueId value;    // zero: absent
  Version version;  // zero: never written
  ValueId value_before;
};

/// The store at one moment.
class Store {
 public:
  explicit Store(std::uint64_t epoch_every) : epoch_every_(epoch_every) {}

  /// Lets the operation take effect and fills in its reply.
  void apply(Operation& op, Random& random) {
    Object& object = objects_[op.key];
    switch (op.kind) {
      case OpKind::kGet:
      case OpKind::kHead:
        return read(op, object);
      case OpKind::kPut:
        return write(op, object, op.value);
      case OpKind::kDelete:
        if (!object.value) return refuse(op, object, Outcome::kAbsent);
        return write(op, object, {});
      case OpKind::kPutIfAbsent:
        if (object.value) return refuse(op, object, Outcome::kConflict);
        return write(op, object, op.value);
      case OpKind::kPutIfMatch:
        return write_if_match(op, object, random);
      case OpKind::kList:
        return list(op, 1 + below(random, 4));
    }
  }

 private:
  static void read(Operation& op, const Object& object) {
    op.outcome = object.value ? Outcome::kOk : Outcome::kAbsent;
    op.value = object.value;
    op.version = object.version;
  }

  static void refuse(Operation& op, const Object& object, Outcome outcome) {
    op.outcome = outcome;
    op.version = object.version;
  }

  void write(Operation& op, Object& object, ValueId value) {
    ++mutations_;
    object.value_before = object.value;
    object.value = value;
    object.version = {static_cast<std::uint32_t>(1 + mutations_ / epoch_every_), mutations_, 1};
    op.outcome = Outcome::kOk;
    op.version = object.version;
  }

  /// The client knows the current value, or the one before.
  void write_if_match(Operation& op, Object& object, Random& random) {
    const bool current = percent(random, 60);
    op.if_value = current ? object.value : object.value_before;
    if (!op.if_value) op.if_value = kNeverWritten;
    if (!object.value) return refuse(op, object, Outcome::kAbsent);
    if (op.if_value != object.value) return refuse(op, object, Outcome::kConflict);
    op.if_version = object.version;
    write(op, object, op.value);
  }

  void list(Operation& op, std::size_t entries_max) const {
    op.outcome = Outcome::kOk;
    op.last = true;
    for (auto at = objects_.upper_bound(op.after); at != objects_.end(); ++at) {
      if (!at->second.value) continue;
      if (op.entries.size() == entries_max) op.last = false;
      if (!op.last) return;
      op.entries.push_back(at->first);
    }
  }

  const std::uint64_t epoch_every_;
  std::uint64_t mutations_ = 0;
  std::map<std::string, Object> objects_;
};

OpKind any_kind(Random& random) {
  constexpr OpKind kKinds[] = {OpKind::kPut,        OpKind::kPut,        OpKind::kGet,
                               OpKind::kGet,        OpKind::kGet,        OpKind::kDelete,
                               OpKind::kPutIfMatch, OpKind::kPutIfMatch, OpKind::kPutIfAbsent,
                               OpKind::kHead};
  return kKinds[below(random, std::size(kKinds))];
}

constexpr std::int64_t kDurationMax = 40;
constexpr std::int64_t kPauseMax = 10;
constexpr std::int64_t kLateMax = 2000;

std::int64_t up_to(Random& random, std::int64_t most) {
  return static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(most))) + 1;
}

/// Operations that wait for the moment of their effect.
class Simulation {
 public:
  Simulation(const SimOptions& options, Random& random)
      : options_(options), random_(random), store_(options.epoch_every) {
    for (; next_client_ < options.clients; ++next_client_) clients_.push_back({0, next_client_});
  }

  Operations run() {
    for (std::size_t i = 0; i < options_.operations; ++i) plan_operation();
    for (std::uint64_t i = 1; i <= options_.listings; ++i) {
      plan_page(i, "", up_to(random_, end_ + 1));
    }
    while (!effects_.empty()) {
      const auto next = effects_.begin();
      const std::size_t operation = next->second;
      effects_.erase(next);
      take_effect(operations_[operation]);
    }
    for (Operation& op : operations_) forget_unknown(op);
    return std::move(operations_);
  }

 private:
  struct Client {
    std::int64_t free_at;
    std::uint32_t name;
  };

  /// By the client that is free first.
  void plan_operation() {
    Client& client = *std::ranges::min_element(clients_, {}, &Client::free_at);
    Operation op{.invoked = client.free_at + up_to(random_, kPauseMax), .client = client.name};
    op.kind = any_kind(random_);
    op.key = "k" + std::to_string(below(random_, options_.keys));
    if (is_mutation(op.kind) && op.kind != OpKind::kDelete) op.value = ValueId{++values_};
    std::int64_t effect = op.invoked + up_to(random_, kDurationMax);
    op.returned = effect + up_to(random_, kDurationMax);
    client.free_at = op.returned;
    if (is_mutation(op.kind) && percent(random_, options_.unknown_percent)) {
      client.name = next_client_++;
      op.returned = kNever;
      effect = percent(random_, 50) ? op.invoked + up_to(random_, kLateMax) : kNever;
    }
    end_ = std::max(end_, client.free_at);
    plan(std::move(op), effect);
  }

  void plan_page(std::uint64_t listing, std::string after, std::int64_t invoked) {
    Operation page{.invoked = invoked, .client = 1'000'000, .kind = OpKind::kList};
    page.listing = listing;
    page.after = std::move(after);
    const std::int64_t effect = invoked + up_to(random_, kDurationMax);
    page.returned = effect + up_to(random_, kDurationMax);
    plan(std::move(page), effect);
  }

  void plan(Operation op, std::int64_t effect) {
    if (effect != kNever) effects_.emplace(std::pair(effect, random_()), operations_.size());
    operations_.push_back(std::move(op));
  }

  void take_effect(Operation& op) {
    store_.apply(op, random_);
    if (op.kind != OpKind::kList || op.last) return;
    // Copied: planning the next page moves the operations.
    const std::string after = op.entries.back();
    plan_page(op.listing, after, op.returned + up_to(random_, kPauseMax));
  }

  /// The client has not seen the reply.
  static void forget_unknown(Operation& op) {
    if (op.returned != kNever) return;
    op.outcome = Outcome::kUnknown;
    op.version = {};
    if (op.kind == OpKind::kPutIfMatch && !op.if_value) op.if_value = kNeverWritten;
  }

  const SimOptions& options_;
  Random& random_;
  Store store_;
  std::vector<Client> clients_;
  std::uint32_t next_client_ = 0;
  std::uint64_t values_ = 0;
  std::int64_t end_ = 0;
  Operations operations_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::size_t> effects_;  // time, tie -> operation
};

/// What each kind may be told.
Outcome any_outcome(OpKind kind, Random& random) {
  if (percent(random, 15)) return Outcome::kUnknown;
  if (percent(random, 3)) return Outcome::kFailed;
  switch (kind) {
    case OpKind::kGet:
    case OpKind::kHead:
    case OpKind::kDelete:
      return percent(random, 70) ? Outcome::kOk : Outcome::kAbsent;
    case OpKind::kPutIfAbsent:
      return percent(random, 50) ? Outcome::kOk : Outcome::kConflict;
    case OpKind::kPutIfMatch:
      if (percent(random, 15)) return Outcome::kAbsent;
      return percent(random, 50) ? Outcome::kOk : Outcome::kConflict;
    default:
      return Outcome::kOk;
  }
}

}  // namespace

Operations simulate(const SimOptions& options, Random& random) {
  return Simulation(options, random).run();
}

Operations invent(Random& random) {
  constexpr std::uint64_t kValues = 3;
  constexpr std::int64_t kMoments = 24;
  Operations operations(1 + below(random, 8));
  for (Operation& op : operations) {
    op = {.invoked = up_to(random, kMoments), .kind = any_kind(random), .key = "k"};
    op.outcome = any_outcome(op.kind, random);
    if (op.outcome != Outcome::kUnknown) op.returned = op.invoked + up_to(random, kMoments / 2);
    const bool shows = !is_mutation(op.kind) && op.outcome == Outcome::kOk;
    const bool writes = is_mutation(op.kind) && op.kind != OpKind::kDelete;
    if (shows || writes) op.value = ValueId{1 + below(random, kValues)};
    if (op.kind == OpKind::kHead && percent(random, 50)) op.value = {};
    if (op.kind == OpKind::kPutIfMatch) op.if_value = ValueId{1 + below(random, kValues)};
  }
  return operations;
}

}  // namespace aisfs::tests::history
