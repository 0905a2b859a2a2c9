// SPDX-License-Identifier: MIT
// The search of Wing and Gong with the memory of Lowe: operations are linearized one by one out of
// a linked list of invocations and returns; only those before the first return in the list may be
// next; a set of operations that led to a state once is not tried again.
//
// Four facts keep the tree small, each of which loses no order that matters:
//  - a read that is allowed now may as well be next, since it changes nothing: no other choice is
//    tried beside it;
//  - an unknown mutation need never be linearized, so the search ends when all others are;
//  - a value that is yet to be seen, and that no operation left would write again, is not replaced;
//  - an unknown mutation that a blind mutation follows might as well have been left out.
#include "tests/kit/history/linearizable.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/kit/history/history_file.h"
#include "tests/kit/history/register_move.h"

namespace aisfs::tests::history {
namespace {

using Index = std::uint32_t;

struct HashWords {
  std::size_t operator()(const std::vector<std::uint64_t>& words) const {
    std::uint64_t hash = 0;
    for (const std::uint64_t word : words) {
      hash = (hash ^ word) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

/// How far the search came, for people.
struct DeadEnd {
  std::vector<Index> order;  // linearized
  std::vector<Index> next;   // not linearized, and before the return that nothing may pass
  Index stuck = 0;           // the one that return belongs to
  std::vector<Index> due;    // would never be explained if the state were replaced
  ValueId state;
};

/// The search over one key's moves.
class Search {
 public:
  Search(const std::vector<Move>& moves, std::size_t tried_max);

  Verdict run();
  /// After kViolated.
  const DeadEnd& dead_end() const { return dead_end_; }

 private:
  struct Choice {
    Index move;
    std::size_t order_before;
    ValueId state_before;
  };

  void link_events();
  void unlink(Index event);
  void relink(Index event);
  bool is_call(Index event) const { return event < moves_.size(); }

  void linearize(Index move);
  void unlinearize_last();
  void absorb_reads();
  Index next_choice(Index from) const;
  bool may_choose(Index move) const;
  bool hides_what_is_due(const Move& move) const;
  void count(const Move& move, int change);
  bool remember();
  void choose(Index move);
  void take_back();
  void note_dead_end();
  void note_due();

  // Set at construction.
  const std::vector<Move>& moves_;
  const std::size_t tried_max_;
  const Index head_;

  // The circular list of what is not linearized: event i is the call of move i, moves_.size() + i
  // its return. Moves that are not required have no return.
  std::vector<Index> next_, previous_;

  // The order so far.
  std::vector<Index> order_;
  std::vector<std::uint64_t> linearized_;  // a bit a move
  std::size_t required_left_ = 0;
  ValueId state_;
  std::unordered_map<ValueId, int> due_;      // how many required ones left demand the value
  std::unordered_map<ValueId, int> writers_;  // how many left, required or not, write it
  std::vector<Choice> choices_;
  Index cursor_ = 0;  // the first event that may be the next choice

  std::unordered_set<std::vector<std::uint64_t>, HashWords> tried_;
  DeadEnd dead_end_;
};

Search::Search(const std::vector<Move>& moves, std::size_t tried_max)
    : moves_(moves),
      tried_max_(tried_max),
      head_(static_cast<Index>(2 * moves.size())),
      next_(head_ + 1),
      previous_(head_ + 1),
      linearized_((moves.size() + 63) / 64) {
  required_left_ = static_cast<std::size_t>(std::ranges::count(moves, true, &Move::required));
  for (const Move& move : moves) count(move, 1);
  link_events();
}

void Search::link_events() {
  const auto n = static_cast<Index>(moves_.size());
  std::vector<std::pair<std::int64_t, Index>> events;  // calls sort before returns of their time
  for (Index i = 0; i < n; ++i) {
    events.emplace_back(moves_[i].op->invoked, i);
    if (moves_[i].required) events.emplace_back(moves_[i].op->returned, n + i);
  }
  std::ranges::sort(events);
  Index last = head_;
  for (const auto& [time, event] : events) {
    next_[last] = event;
    previous_[event] = last;
    last = event;
  }
  next_[last] = head_;
  previous_[head_] = last;
}

void Search::unlink(Index event) {
  next_[previous_[event]] = next_[event];
  previous_[next_[event]] = previous_[event];
}

/// Undoes the last `unlink` that is not undone.
void Search::relink(Index event) {
  next_[previous_[event]] = event;
  previous_[next_[event]] = event;
}

/// Puts an operation among those left, or takes it out.
void Search::count(const Move& move, int change) {
  if (move.required && move.guard.kind == Guard::Kind::kIs) due_[move.guard.value] += change;
  if (move.becomes) writers_[*move.becomes] += change;
}

void Search::linearize(Index move) {
  count(moves_[move], -1);
  unlink(move);
  if (moves_[move].required) {
    unlink(static_cast<Index>(moves_.size()) + move);
    --required_left_;
  }
  linearized_[move / 64] |= std::uint64_t{1} << (move % 64);
  order_.push_back(move);
  state_ = moves_[move].becomes.value_or(state_);
}

/// Leaves the state to the caller.
void Search::unlinearize_last() {
  const Index move = order_.back();
  order_.pop_back();
  count(moves_[move], 1);
  linearized_[move / 64] &= ~(std::uint64_t{1} << (move % 64));
  if (moves_[move].required) {
    relink(static_cast<Index>(moves_.size()) + move);
    ++required_left_;
  }
  relink(move);
}

void Search::absorb_reads() {
  Index before = head_;
  while (is_call(next_[before])) {
    const Index event = next_[before];
    if (!moves_[event].becomes && moves_[event].guard.allows(state_)) {
      linearize(event);
    } else {
      before = event;
    }
  }
}

bool Search::hides_what_is_due(const Move& move) const {
  const auto due = due_.find(state_);
  if (due == due_.end() || *move.becomes == state_) return false;
  const auto writers = writers_.find(state_);
  if (writers != writers_.end() && writers->second > 0) return false;
  const bool is_due = move.required && move.guard.kind == Guard::Kind::kIs;
  return due->second > (is_due ? 1 : 0);
}

bool Search::may_choose(Index move) const {
  const Guard& guard = moves_[move].guard;
  if (!moves_[move].becomes || !guard.allows(state_)) return false;
  if (hides_what_is_due(moves_[move])) return false;
  const bool after_unknown = !order_.empty() && !moves_[order_.back()].required;
  return guard.kind != Guard::Kind::kAny || !after_unknown;
}

/// The first mutation at or after `from` that may be next; head_ if there is none.
Index Search::next_choice(Index from) const {
  for (Index event = from; is_call(event); event = next_[event]) {
    if (may_choose(event)) return event;
  }
  return head_;
}

/// False if this set of operations has led to this state before.
bool Search::remember() {
  std::vector<std::uint64_t> key = linearized_;
  key.push_back(state_.value);
  return tried_.insert(std::move(key)).second;
}

void Search::choose(Index move) {
  choices_.push_back({move, order_.size(), state_});
  linearize(move);
  absorb_reads();
  if (remember()) {
    cursor_ = next_[head_];
  } else {
    take_back();
  }
}

void Search::take_back() {
  const Choice choice = choices_.back();
  choices_.pop_back();
  while (order_.size() > choice.order_before) unlinearize_last();
  state_ = choice.state_before;
  cursor_ = next_[choice.move];
}

void Search::note_dead_end() {
  if (!dead_end_.next.empty() && order_.size() <= dead_end_.order.size()) return;
  dead_end_ = {.order = order_, .next = {}, .due = {}, .state = state_};
  Index event = next_[head_];
  for (; is_call(event); event = next_[event]) dead_end_.next.push_back(event);
  dead_end_.stuck = event - static_cast<Index>(moves_.size());
  if (moves_[dead_end_.stuck].guard.allows(state_)) note_due();
}

/// What the operation that is stuck would hide.
void Search::note_due() {
  for (Index i = 0; i < moves_.size(); ++i) {
    const bool left = (linearized_[i / 64] >> (i % 64) & 1) == 0;
    const Move& move = moves_[i];
    const bool demands = move.guard.kind == Guard::Kind::kIs && move.guard.value == state_;
    if (left && demands && move.required && i != dead_end_.stuck) dead_end_.due.push_back(i);
  }
}

Verdict Search::run() {
  absorb_reads();
  cursor_ = next_[head_];
  while (required_left_ > 0) {
    if (tried_.size() > tried_max_) return Verdict::kUnknown;
    const Index move = next_choice(cursor_);
    if (move != head_) {
      choose(move);
      continue;
    }
    note_dead_end();
    if (choices_.empty()) return Verdict::kViolated;
    take_back();
  }
  return Verdict::kHolds;
}

std::string state_line(ValueId state) {
  return state ? "  now the value is " + std::to_string(state.value) + '\n'
               : "  now it is absent\n";
}

std::string excerpt_of(const DeadEnd& end, const std::vector<Move>& moves) {
  constexpr std::size_t kShown = 4;  // enough to see where the state comes from
  const std::size_t first = end.order.size() - std::min(end.order.size(), kShown);
  const auto line = [&](Index move) { return to_line(*moves[move].op) + '\n'; };
  std::string text;
  if (first > 0) text += "  after " + std::to_string(first) + " more in a possible order\n";
  for (std::size_t i = first; i < end.order.size(); ++i) text += "  " + line(end.order[i]);
  text += state_line(end.state);
  text += "  must come next, but cannot: " + line(end.stuck);
  for (const Index move : end.due) text += "  it would leave unexplained: " + line(move);
  for (const Index move : end.next) {
    if (move != end.stuck) text += "  beside it: " + line(move);
  }
  return text;
}

/// A required move that demands what no move writes.
const Move* seen_but_unwritten(const std::vector<Move>& moves) {
  std::unordered_set<ValueId> written{ValueId{}};
  for (const Move& move : moves) {
    if (move.becomes) written.insert(*move.becomes);
  }
  for (const Move& move : moves) {
    const bool demands = move.required && move.guard.kind == Guard::Kind::kIs;
    if (demands && !written.contains(move.guard.value)) return &move;
  }
  return nullptr;
}

void check_key(std::string_view key,
               const KeyOperations& operations,
               std::size_t tried_max,
               Report& report) {
  ++report.checked;
  const std::vector<Move> moves = moves_of(operations);
  if (const Move* move = seen_but_unwritten(moves)) {
    report.violations.push_back(
        {std::string(key), "a reply shows what nobody wrote", "  " + to_line(*move->op) + '\n'});
    return;
  }
  Search search(moves, tried_max);
  const Verdict verdict = search.run();
  if (verdict == Verdict::kUnknown) report.undecided.emplace_back(key);
  if (verdict != Verdict::kViolated) return;
  report.violations.push_back({std::string(key), "no order of its operations explains the replies",
                               excerpt_of(search.dead_end(), moves)});
}

}  // namespace

Report check_linearizable(std::span<const Operation> operations, LinearizableOptions options) {
  Report report{.check = "linearizable"};
  for (const auto& [key, ops] : by_key(operations)) {
    check_key(key, ops, options.tried_max, report);
  }
  return report;
}

}  // namespace aisfs::tests::history
