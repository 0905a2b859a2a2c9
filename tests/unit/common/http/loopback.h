// SPDX-License-Identifier: MIT
// A real server on loopback and a socket that says exactly what a test wants said.
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>

#include "common/async/offload.h"
#include "common/async/timeout.h"
#include "common/base/unique_fd.h"
#include "common/http/client.h"
#include "common/http/server.h"

namespace aisfs::http {

using namespace std::chrono_literals;

/// A blocking client connection; every wait ends after ten seconds.
class RawClient {
 public:
  explicit RawClient(const Endpoint& to) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(to.port);
    ::inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void finish() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  /// Until `text` was seen in what came so far, or the end.
  std::string read_until(std::string_view text) {
    std::string got;
    char c;
    while (got.find(text) == got.npos && ::recv(fd_.get(), &c, 1, 0) == 1) got += c;
    return got;
  }
  std::string read_exactly(std::size_t size) {
    std::string got(size, '\0');
    const ssize_t n = ::recv(fd_.get(), got.data(), size, MSG_WAITALL);
    got.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return got;
  }
  /// Everything up to the end; "(open)" is appended if it does not come.
  std::string read_to_end() {
    std::string got;
    char buffer[16384];
    while (true) {
      const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n < 0 && errno == EAGAIN) return got + "(open)";
      if (n <= 0) return got;
      got.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  UniqueFd fd_;
};

/// A file as a body, like a stored object.
class FileBody final : public BodySource {
 public:
  FileBody(int fd, std::uint64_t offset, std::uint64_t length) : slice_{fd, offset, length} {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t want = std::min<std::uint64_t>(into.size(), slice_.length - at_);
    const ssize_t n = ::pread(slice_.fd, into.data(), want, static_cast<off_t>(slice_.offset + at_));
    if (n < 0) co_return errno_error("pread");
    at_ += static_cast<std::uint64_t>(n);
    co_return static_cast<std::size_t>(n);
  }
  std::optional<std::uint64_t> remaining() const override { return slice_.length - at_; }
  const FileSlice* file() const override { return &slice_; }

 private:
  FileSlice slice_;
  std::uint64_t at_ = 0;
};

/// Hands out `pieces` one a read, without a length.
class PiecesBody final : public BodySource {
 public:
  explicit PiecesBody(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (next_ == pieces_.size()) co_return std::size_t{0};
    const std::string& piece = pieces_[next_++];
    if (piece == "fail") co_return Error(Errc::io, "the disk is gone");
    std::memcpy(into.data(), piece.data(), piece.size());
    co_return piece.size();
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

/// Text that repeats nowhere within 256 KiB, so that misplaced pieces show.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t x = 12345;
  for (char& c : text) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return text;
}

class Loopback : public testing::Test {
 protected:
  Loopback() : folder_("/tmp/aisfs-http-test-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
    runtime_.start();
  }
  ~Loopback() override {
    server_.reset();
    if (client_) client_->close();
    runtime_.stop();  // a handler may still use the client
    std::filesystem::remove_all(folder_);
  }

  void serve(Handler handler, ServerOptions options = {}, ReadyHandler ready = {}) {
    options.name = "test";
    server_ = std::make_unique<Server>(runtime_, std::move(options), std::move(handler),
                                       std::move(ready));
    const Status listening = server_->listen({"127.0.0.1", 0});
    ASSERT_TRUE(listening.ok()) << listening.error().what();
  }
  RawClient connect() { return RawClient(server_->endpoint()); }
  /// What a new connection answers to `text`, up to its close.
  std::string ask(std::string_view text) {
    RawClient raw = connect();
    raw.send(text);
    return raw.read_to_end();
  }

  Client& client(ClientOptions options = {}) {
    if (!client_) client_ = std::make_unique<Client>(runtime_, std::move(options));
    return *client_;
  }
  ClientRequest request(Method method, std::string target, std::string body = {}) {
    ClientRequest r;
    r.to = server_->endpoint();
    r.head = {.method = method, .target = std::move(target), .fields = {}};
    r.body = std::move(body);
    r.deadline = Deadline::after(10s);
    return r;
  }
  Result<Client::Whole> call(ClientRequest r) {
    return runtime_.run_on(0, client().call(std::move(r)));
  }

  std::string folder_;
  UniqueFd file_;  // what handlers answer with: closed when their threads have ended
  Runtime runtime_{2};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
};

}  // namespace aisfs::http
