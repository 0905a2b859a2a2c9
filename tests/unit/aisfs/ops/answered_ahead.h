// SPDX-License-Identifier: MIT
// Calls that are answered before the cluster has done what they ask for.
#pragma once
#include <deque>

#include "aisfs/ops/promises.h"
#include "tests/unit/aisfs/ops/own_directory.h"

namespace aisfs::ops {

class Promises : public OwnDirectory {
 protected:
  explicit Promises(fs::Options options = {}) : OwnDirectory(std::move(options)) {}

  /// A call that notes when it is answered, and what is there at that moment.
  struct Answered {
    std::atomic<int> times = 0;
    std::function<void()> look = [] {};
  };
  Call answering(Answered& answered) {
    Call asks = call();
    asks.answer = [&answered](const Entry&) {
      answered.look();
      ++answered.times;
    };
    return asks;
  }
  bool exists(const std::string& key) { return cluster.info_of("b", key).has_value(); }
  /// Begins on the mount's shard, and goes on while the test does something else.
  struct Begun {
    std::atomic<bool> ended = false;
    Status result;
  };
  void begin(Begun& begun, Task<Status> task) {
    const auto on_shard = [](Promises& test, Begun& what, Task<Status> todo) -> Task<Status> {
      test.loops->spawn(note_end(what, std::move(todo)));
      co_return Status();
    };
    ASSERT_TRUE(run(on_shard(*this, begun, std::move(task))).ok());
  }
  static Task<void> note_end(Begun& begun, Task<Status> task) {
    begun.result = co_await std::move(task);
    begun.ended = true;
  }
  Status end(Begun& begun) {
    until([&] { return begun.ended.load(); });
    return begun.result;
  }
  /// A file whose close has been answered while its bytes are held up on their way.
  struct Closing {
    Created file;
    Answered answered;
    Begun closed;
  };
  void close_ahead(Closing& closing, const std::string& name) {
    closing.file = written(name, "bytes");
    cluster.hold("put_end");
    begin(closing.closed, flush(*mount, answering(closing.answered), closing.file.opened.handle));
    until([&] { return closing.answered.times == 1; });
    EXPECT_FALSE(exists("d/" + name));
  }
  Status arrive_now(Closing& closing) {
    cluster.let_go();
    Status closed = end(closing.closed);
    EXPECT_TRUE(run(release(*mount, call(), closing.file.opened.handle)).ok());
    return closed;
  }
  Created written(const std::string& name, std::string bytes) {
    Created made = make(name);
    EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, std::move(bytes))).ok());
    return made;
  }
  static Task<Status> make_dir(Mount& mount, Call asks, NodeId parent, std::string name) {
    CO_TRY(const Entry entry,
           co_await mkdir(mount, std::move(asks), parent, std::move(name), 0755));
    co_return entry.nodeid != 0 ? Status() : Status(Error(Errc::internal));
  }
  RenameRequest to(const std::string& from, const std::string& name) {
    return {.parent = dir, .name = from, .new_parent = dir, .new_name = name};
  }
  std::vector<std::string> names_in(NodeId directory) {
    const HandleId listing = *run(opendir(*mount, call(), directory));
    std::vector<std::string> names;
    for (std::uint64_t at = 2;; ++at) {  // after . and ..
      const auto entry = run(read_entry(*mount, call(), listing, at));
      EXPECT_TRUE(entry.ok());
      if (!entry.ok() || !*entry) break;
      names.push_back((*entry)->name);
    }
    releasedir(*mount, listing);
    return names;
  }
};

}  // namespace aisfs::ops
