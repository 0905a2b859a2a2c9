// SPDX-License-Identifier: MIT
// aisfs_bench_httpd DIR PORT [SHARDS]: our HTTP server alone over a folder of files, to be measured
// against nginx over the same folder. Ends at SIGINT or SIGTERM.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/async/offload.h"
#include "common/base/unique_fd.h"
#include "common/http/server.h"

namespace aisfs {
namespace {

class FileSource final : public BodySource {
 public:
  FileSource(UniqueFd fd, std::uint64_t length, asio::thread_pool& pool)
      : fd_(std::move(fd)), slice_{fd_.get(), 0, length}, pool_(pool) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const ssize_t n = ::pread(slice_.fd, into.data(), into.size(), static_cast<off_t>(slice_.offset));
    if (n < 0) co_return errno_error("pread");
    slice_.offset += static_cast<std::uint64_t>(n);
    slice_.length -= static_cast<std::uint64_t>(n);
    co_return static_cast<std::size_t>(n);
  }
  std::optional<std::uint64_t> remaining() const override { return slice_.length; }
  const FileSlice* file() const override { return &slice_; }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override {
    auto fetch = [fd = slice_.fd, offset, length] {
      std::vector<char> sink(length);
      return ::pread(fd, sink.data(), length, static_cast<off_t>(offset)) >= 0;
    };
    if (!co_await offload(pool_, std::move(fetch))) co_return Error(Errc::io, "pread");
    co_return Status{};
  }

 private:
  UniqueFd fd_;
  FileSlice slice_;
  asio::thread_pool& pool_;
};

struct Folder {
  UniqueFd fd;
  asio::thread_pool pool{2};
};

Task<void> serve(Folder& folder, http::Exchange& exchange) {
  const std::string& path = exchange.target().path;
  UniqueFd file(::openat(folder.fd.get(), path.c_str() + 1, O_RDONLY | O_CLOEXEC));
  struct stat st{};
  http::ResponseHead head;
  const bool found = file.valid() && ::fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode);
  if (!found) {
    head.status = 404;
    (void)co_await exchange.respond(std::move(head));
    co_return;
  }
  head.fields.add("Content-Type", "application/octet-stream");
  head.fields.add("ETag", std::to_string(st.st_mtim.tv_sec));
  FileSource body(std::move(file), static_cast<std::uint64_t>(st.st_size), folder.pool);
  (void)co_await exchange.respond(std::move(head), body);
}

int run(const char* dir, int port, std::size_t shards) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Folder folder{UniqueFd(::open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC))};
  Runtime runtime(shards);
  http::ServerOptions options{.name = "bench"};
  auto handler = [&folder](http::Exchange& exchange) { return serve(folder, exchange); };
  http::Server server(runtime, options, handler);
  const Status listening = server.listen({"127.0.0.1", static_cast<std::uint16_t>(port)});
  if (!listening) {
    std::fprintf(stderr, "%s\n", listening.error().what().c_str());
    return 1;
  }
  runtime.start();
  std::printf("%s\n", server.endpoint().to_string().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  server.stop(std::chrono::seconds(1));
  runtime.stop();
  return 0;
}

}  // namespace
}  // namespace aisfs

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: aisfs_bench_httpd DIR PORT [SHARDS]\n");
    return 2;
  }
  return aisfs::run(argv[1], std::atoi(argv[2]), argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 2);
}
