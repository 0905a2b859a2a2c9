// SPDX-License-Identifier: MIT
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/http/client.h"

namespace aisfs::http {

/// A server that hangs up on the second request of its first connection instead of an answer, as
/// one does whose idle time ends at the wrong moment. All others it answers with "{}".
class HangsUpOnce {
 public:
  HangsUpOnce() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    AISFS_ASSERT(::bind(listener_.get(), address, size) == 0 && ::listen(listener_.get(), 8) == 0);
    AISFS_ASSERT(::getsockname(listener_.get(), address, &size) == 0);
    endpoint_ = {"127.0.0.1", ntohs(at.sin_port)};
    thread_ = std::thread([this] { serve(); });
  }
  ~HangsUpOnce() {
    listen_no_more();
    hang_up();
    thread_.join();
  }
  HangsUpOnce(const HangsUpOnce&) = delete;
  HangsUpOnce& operator=(const HangsUpOnce&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  ClientRequest request(std::string target) const {
    ClientRequest r;
    r.to = endpoint_;
    r.head.target = std::move(target);
    r.deadline = Deadline::after(std::chrono::seconds(10));
    return r;
  }
  /// "GET /x" of every request that came.
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  /// Closes the connection that there is.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    if (connection_.valid()) ::shutdown(connection_.get(), SHUT_RDWR);
  }
  void listen_no_more() { ::shutdown(listener_.get(), SHUT_RDWR); }

 private:
  void serve() {
    for (bool first = true;; first = false) {
      UniqueFd accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!accepted.valid()) return;
      const int fd = accepted.get();
      hold(std::move(accepted));
      for (int requests = 0; read_request(fd) && !(first && requests == 1); ++requests) answer(fd);
      hold(UniqueFd());
    }
  }
  void hold(UniqueFd connection) {
    const std::lock_guard lock(mutex_);
    connection_ = std::move(connection);
  }
  bool read_request(int fd) {
    std::string head;
    char c;
    while (!head.ends_with("\r\n\r\n") && ::recv(fd, &c, 1, 0) == 1) head += c;
    constexpr std::string_view kLength = "Content-Length: ";
    const auto length = head.find(kLength);
    std::string body(length == head.npos ? 0 : std::stoul(head.substr(length + kLength.size())), 0);
    if (!body.empty()) ::recv(fd, body.data(), body.size(), MSG_WAITALL);
    if (head.empty()) return false;
    const std::lock_guard lock(mutex_);
    asked_.push_back(head.substr(0, head.find(" HTTP/")));
    return true;
  }
  static void answer(int fd) {
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    static_cast<void>(::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL));
  }

  const UniqueFd listener_;
  Endpoint endpoint_;
  std::mutex mutex_;
  UniqueFd connection_;             // guarded by mutex_
  std::vector<std::string> asked_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace aisfs::http
