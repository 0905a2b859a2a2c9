// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "node/store/store.h"

namespace aisfs::tests::points {

/// A store on two mountpaths, driven by one thread. With background work.
class Bench {
 public:
  explicit Bench(const std::string& dir);
  ~Bench();

  Status open();
  void close();
  store::Store& store() { return *store_; }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    auto keep = [](Task<T> t, std::optional<T>& to) -> Task<void> {
      to.emplace(co_await std::move(t));
    };
    runtime_.run_on(0, keep(std::move(task), out));
    return *std::move(out);
  }

  Status put(const std::string& key, const std::string& body, PutOptions options = {});
  Status put(store::Key key, const std::string& body, PutOptions options = {});
  Result<std::string> get(const std::string& key);

  /// The mountpaths that are out are used again.
  Status enable_all();
  bool all_in() const;
  /// What there is, in words: names with what they hold, listings, uploads, slices. The same for
  /// the same, whenever it was made.
  std::string view();

 private:
  Task<void> begin_background();
  Task<void> end_background();

  RealClock clock_;
  Runtime runtime_{1};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<TaskScope> scope_;
};

store::Key key_of(const std::string& name);

/// One change of a store, and what is there before it.
struct Scenario {
  std::string name;
  std::function<Status(Bench&)> prepare;
  std::function<Status(Bench&)> act;
  bool durable = true;  // a loss of power does not take it back once it is acknowledged
  bool whole = true;    // an interruption leaves it undone or done
};
const std::vector<Scenario>& all_scenarios();

}  // namespace aisfs::tests::points
