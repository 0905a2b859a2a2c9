// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aisfs/cli/output.h"
#include "common/client/jobs_api.h"
#include "common/client/object_api.h"

namespace aisfs::cli {

/// What every command understands.
struct GlobalOptions {
  std::string endpoint;                         // --endpoint, AIS_ENDPOINT, http://127.0.0.1:21080
  std::string ca_file = {};                     // --ca, AIS_CA; "": the system's authorities
  Duration timeout = std::chrono::seconds(30);  // of one operation
};

/// A connection to a cluster, real or in memory.
class Link {
 public:
  virtual ~Link() = default;
  virtual ObjectApi& objects() = 0;
  virtual AdminApi& admin() = 0;
  virtual MapSource& map() = 0;
  virtual JobsApi& jobs() = 0;
  /// Before the destructor; not from an io thread.
  virtual void stop() {}
};

/// Called on the shard that the command runs on.
using Connect = std::function<Task<Result<std::unique_ptr<Link>>>(GlobalOptions)>;

/// The next line that the user types; nullopt at the end of the input. Blocks.
using ReadLine = std::function<std::optional<std::string>()>;
ReadLine read_line_of_process();

/// What a command works with. Everything in it outlives the command.
class Session {
 public:
  Session(GlobalOptions o, Output& output, Connect c, asio::thread_pool& pool, ReadLine read)
      : options(std::move(o)),
        out(output),
        connect(std::move(c)),
        files(pool),
        read_line(std::move(read)) {}

  GlobalOptions options;
  Output& out;
  Connect connect;
  asio::thread_pool& files;    // for blocking calls on local files
  ReadLine read_line;          // on `files`
  std::unique_ptr<Link> link;  // null for commands that need none

  ObjectApi& objects() { return link->objects(); }
  AdminApi& admin() { return link->admin(); }
  MapSource& map() { return link->map(); }
  JobsApi& jobs() { return link->jobs(); }

  /// Without a deadline: the client bounds each operation by its own timeout and the size of the
  /// body. A reference, so that no temporary of it lives in a co_await expression.
  const Context& context() const { return context_; }

 private:
  Context context_;
};

}  // namespace aisfs::cli
