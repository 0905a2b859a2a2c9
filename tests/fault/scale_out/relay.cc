// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/relay.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

namespace aisfs::tests::scale {
namespace {

constexpr int kProbePauseMs = 50;

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(endpoint.port), .sin_addr = {}, .sin_zero = {}};
  ::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
  return address;
}

UniqueFd make_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

Relay::Relay(Endpoint to) : to_(std::move(to)), listener_(make_socket()) {
  sockaddr_in address = address_of({"127.0.0.1", 0});
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  AISFS_ASSERT(::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 64) == 0 &&
               ::getsockname(listener_.get(), any, &size) == 0);
  endpoint_ = {"127.0.0.1", ntohs(address.sin_port)};
  acceptor_ = std::thread([this] { accept_all(); });
}

Relay::~Relay() {
  ending_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

Relay::Seen Relay::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(seen_, {});
}

bool Relay::wait_for_listener(const Deadline& deadline) const {
  const sockaddr_in address = address_of(to_);
  for (;;) {
    const UniqueFd probe = make_socket();
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return true;
    }
    if (deadline.expired()) return false;
    ::poll(nullptr, 0, kProbePauseMs);  // a port cannot be waited for
  }
}

void Relay::note(Duration waited, bool broken) {
  const std::lock_guard lock(mutex_);
  seen_.longest = std::max(seen_.longest, waited);
  seen_.broken += broken ? 1 : 0;
}

void Relay::accept_all() {
  while (!ending_) {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.get() < 0) continue;
    threads_.emplace_back([this, fd = std::move(client)]() mutable { serve(std::move(fd)); });
  }
}

void Relay::serve(UniqueFd client) {
  const UniqueFd server = make_socket();
  const sockaddr_in address = address_of(to_);
  if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return note({}, true);
  }
  const auto keep = [this](int fd, bool open) {
    const std::lock_guard lock(mutex_);
    open ? void(open_.insert(fd)) : void(open_.erase(fd));
  };
  for (const int fd : {client.get(), server.get()}) keep(fd, true);
  if (!ending_) pass_on(client.get(), server.get());
  for (const int fd : {client.get(), server.get()}) keep(fd, false);
}

/// Until either side ends it.
void Relay::pass_on(int client, int server) {
  std::array<char, 64 * 1024> buffer;
  std::optional<TimePoint> asked;  // and not answered yet
  const auto waited = [&] { return std::chrono::steady_clock::now() - *asked; };
  for (;;) {
    std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (::poll(ends.data(), ends.size(), -1) < 0) return;
    if (ends[1].revents != 0) {
      const ssize_t size = ::recv(server, buffer.data(), buffer.size(), 0);
      if (asked) note(waited(), size <= 0);
      asked.reset();
      if (size <= 0 || !write_all(client, buffer.data(), static_cast<std::size_t>(size))) return;
    }
    if (ends[0].revents != 0) {
      const ssize_t size = ::recv(client, buffer.data(), buffer.size(), 0);
      if (size <= 0 && asked) note(waited(), false);  // it waits no longer
      if (size <= 0 || !write_all(server, buffer.data(), static_cast<std::size_t>(size))) return;
      asked = std::chrono::steady_clock::now();
    }
  }
}

}  // namespace aisfs::tests::scale
