// SPDX-License-Identifier: MIT
#include "common/http/server.h"

#include <boost/asio/use_future.hpp>
#include <unordered_set>

#include "common/async/scope.h"
#include "common/http/connection.h"
#include "common/obs/log.h"

namespace aisfs::http {
namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using boost::system::error_code;

constexpr auto kAcceptBackoff = std::chrono::milliseconds(100);  // out of descriptors: let some go

std::string text_of(const tcp::endpoint& at) {
  const Endpoint endpoint{at.address().to_string(), at.port()};
  return endpoint.to_string();
}

/// The listener and the connections of one shard. Used on its thread alone once it accepts.
class Shard : public std::enable_shared_from_this<Shard> {
 public:
  Shard(asio::io_context& io, ConnectionContext context, std::atomic<std::size_t>& connections)
      : io_(io), acceptor_(io.get_executor()), context_(context), connections_(connections),
        scope_(io.get_executor()) {}

  Acceptor& acceptor() { return acceptor_; }

  void start() {
    if (acceptor_.is_open()) scope_.spawn(accept_all());
  }

  /// Ends the listener and waits for all connections; those left at `deadline` are cut off.
  Task<void> drain(TimePoint deadline) {
    context_.stopping = true;
    close_acceptor();
    for (Connection* connection : live_) connection->stop_if_idle();
    asio::steady_timer cut_off(io_, deadline);
    cut_off.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->scope_.cancel();
    });
    co_await scope_.join();
  }

  void close_acceptor() {
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  Task<void> accept_all() {
    while (acceptor_.is_open()) {
      auto [ec, socket] = co_await acceptor_.async_accept(use_ec);
      if (!ec) {
        admit(std::move(socket));
      } else if (acceptor_.is_open() && ec != asio::error::connection_aborted) {
        LOG_WARN("accept failed", "listener", context_.options.name, "why", ec.message());
        asio::steady_timer pause(io_, kAcceptBackoff);
        co_await pause.async_wait(use_ec);
      }
    }
  }

  void admit(Socket socket) {
    error_code ec;
    const tcp::endpoint peer = socket.remote_endpoint(ec);
    if (ec || connections_ >= context_.options.connections_max) return;  // closes it
    socket.native_non_blocking(true, ec);
    socket.set_option(tcp::no_delay(true), ec);
    socket.set_option(asio::socket_base::send_buffer_size(context_.options.send_buffer_bytes), ec);
    ++connections_;
    scope_.spawn(serve(std::move(socket), text_of(peer)));
  }

  Task<void> serve(Socket socket, std::string peer) {
    Connection connection(context_, std::move(socket), std::move(peer));
    live_.insert(&connection);
    co_await connection.run();
    live_.erase(&connection);
    --connections_;
  }

  asio::io_context& io_;
  Acceptor acceptor_;
  ConnectionContext context_;
  std::atomic<std::size_t>& connections_;
  std::unordered_set<Connection*> live_;
  TaskScope scope_;
};

Result<asio::ip::address> resolve(asio::io_context& io, const std::string& host) {
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (!ec) return address;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, "", tcp::resolver::passive, ec);
  if (ec || found.empty()) {
    return Error(Errc::invalid_argument, "listen at " + host + ": no such address");
  }
  return found.begin()->endpoint().address();
}

Error listen_error(const tcp::endpoint& at, const error_code& ec) {
  const std::string what = "listen at " + text_of(at) + ": " + ec.message();
  if (ec == asio::error::address_in_use) return Error(Errc::busy, what + "; choose another port");
  return Error(errc_of_errno(ec.value()), what);
}

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

/// The first acceptor binds alone, so that a port which anybody else has is refused; the others
/// share it afterwards.
Status bind_all(std::vector<std::shared_ptr<Shard>>& shards, tcp::endpoint& at) {
  error_code ec;
  for (auto& shard : shards) {
    Acceptor& acceptor = shard->acceptor();
    const bool first = shard == shards.front();
    acceptor.open(at.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && !first) acceptor.set_option(ReusePort(true), ec);
    if (!ec) acceptor.bind(at, ec);
    if (!ec && first) acceptor.set_option(ReusePort(true), ec);
    if (!ec && first) at = acceptor.local_endpoint(ec);
    if (ec) return listen_error(at, ec);
  }
  for (auto& shard : shards) {
    shard->acceptor().listen(4096, ec);
    if (ec) return listen_error(at, ec);
  }
  return {};
}

}  // namespace

class Server::Impl {
 public:
  Impl(Runtime& runtime, ServerOptions options, Handler handler, ReadyHandler ready)
      : runtime_(runtime),
        options_(std::move(options)),
        handler_(std::move(handler)),
        ready_(std::move(ready)) {}

  Status listen(const Endpoint& at) {
    AISFS_ASSERT(shards_.empty());
    if (options_.tls) {
      TRY(tls_, make_server_tls(*options_.tls));
    }
    TRY(const auto address, resolve(runtime_.shard(0), at.host));
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      const ConnectionContext context{options_, handler_, ready_, tls_.get()};
      shards_.push_back(std::make_shared<Shard>(runtime_.shard(i), context, connections_));
    }
    tcp::endpoint bound(address, at.port);
    if (Status status = bind_all(shards_, bound); !status) {
      shards_.clear();
      return status;
    }
    endpoint_ = {at.host, bound.port()};
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      asio::post(runtime_.shard(i), [shard = shards_[i]] { shard->start(); });
    }
    return {};
  }

  const Endpoint& endpoint() const { return endpoint_; }

  void stop(Duration grace) {
    const TimePoint deadline = Deadline::after(grace).at();
    std::vector<std::future<void>> drained;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      if (!runtime_.running()) {
        shards_[i]->close_acceptor();  // nothing was accepted, and nothing will be
        continue;
      }
      drained.push_back(
          asio::co_spawn(runtime_.shard(i), shards_[i]->drain(deadline), asio::use_future));
    }
    for (auto& shard : drained) shard.get();
    shards_.clear();
  }

 private:
  Runtime& runtime_;
  const ServerOptions options_;
  const Handler handler_;
  const ReadyHandler ready_;
  std::unique_ptr<TlsContext> tls_;
  std::atomic<std::size_t> connections_ = 0;
  Endpoint endpoint_;
  std::vector<std::shared_ptr<Shard>> shards_;
};

Server::Server(Runtime& runtime, ServerOptions options, Handler handler, ReadyHandler ready)
    : impl_(std::make_unique<Impl>(
          runtime, std::move(options), std::move(handler), std::move(ready))) {}
Server::~Server() { impl_->stop(Duration::zero()); }
Status Server::listen(const Endpoint& at) { return impl_->listen(at); }
const Endpoint& Server::endpoint() const { return impl_->endpoint(); }
void Server::stop(Duration grace) { impl_->stop(grace); }

}  // namespace aisfs::http
