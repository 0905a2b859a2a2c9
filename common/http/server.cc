// SPDX-License-Identifier: MIT
#include "common/http/server.h"

#include <boost/asio/use_future.hpp>
#include <span>
#include <unordered_set>

#include "common/async/scope.h"
#include "common/base/unique_fd.h"
#include "common/http/connection.h"
#include "common/http/lower_effort.h"
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

/// The connections of one shard and, of one that serves, the listener. Used on its thread alone
/// once it accepts.
class Shard : public std::enable_shared_from_this<Shard> {
 public:
  Shard(asio::io_context& io, ConnectionContext context, std::atomic<std::size_t>& connections)
      : io_(io), acceptor_(io.get_executor()), context_(context), connections_(connections),
        scope_(io.get_executor()) {}

  Acceptor& acceptor() { return acceptor_; }

  /// Connections that may wait go to those, if there are any.
  void sort(std::vector<std::shared_ptr<Shard>> background) { background_ = std::move(background); }

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
      if (!ec && !background_.empty() && is_lower_effort(socket.native_handle())) {
        hand_over(std::move(socket));
      } else if (!ec) {
        admit(std::move(socket));
      } else if (acceptor_.is_open() && ec != asio::error::connection_aborted) {
        LOG_WARN("accept failed", "listener", context_.options.name, "why", ec.message());
        asio::steady_timer pause(io_, kAcceptBackoff);
        co_await pause.async_wait(use_ec);
      }
    }
  }

  /// To the background shards in turn.
  void hand_over(Socket socket) {
    error_code ec;
    const tcp protocol = acceptor_.local_endpoint(ec).protocol();
    if (ec) return;  // closes it
    const int fd = socket.release(ec);
    if (ec) return;
    auto to = background_[next_++ % background_.size()];
    asio::post(to->io_, [to, protocol, fd = UniqueFd(fd)]() mutable {
      error_code failed;
      Socket taken(to->io_.get_executor());
      taken.assign(protocol, fd.get(), failed);
      if (failed) return;
      static_cast<void>(fd.release());
      to->admit(std::move(taken));
    });
  }

  void admit(Socket socket) {
    error_code ec;
    const tcp::endpoint peer = socket.remote_endpoint(ec);
    if (ec || context_.stopping || connections_ >= context_.options.connections_max)
      return;  // closes it
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
  std::vector<std::shared_ptr<Shard>> background_;
  std::size_t next_ = 0;
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
Status bind_all(std::span<const std::shared_ptr<Shard>> shards, tcp::endpoint& at, bool sorts) {
  error_code ec;
  for (const auto& shard : shards) {
    Acceptor& acceptor = shard->acceptor();
    const bool first = &shard == &shards.front();
    acceptor.open(at.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && !first) acceptor.set_option(ReusePort(true), ec);
    if (!ec) acceptor.bind(at, ec);
    if (!ec && first) acceptor.set_option(ReusePort(true), ec);
    if (!ec && first) at = acceptor.local_endpoint(ec);
    if (ec) return listen_error(at, ec);
  }
  for (const auto& shard : shards) {
    if (sorts) keep_marks(shard->acceptor().native_handle());
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
    const std::size_t end = options_.sorts ? runtime_.all() : runtime_.size();
    for (std::size_t i = 0; i < end; ++i) {
      const ConnectionContext context{options_, handler_, ready_, tls_.get()};
      shards_.push_back(std::make_shared<Shard>(runtime_.shard(i), context, connections_));
    }
    const std::span serving(shards_.data(), runtime_.size());
    tcp::endpoint bound(address, at.port);
    if (Status status = bind_all(serving, bound, options_.sorts); !status) {
      shards_.clear();
      return status;
    }
    endpoint_ = {at.host, bound.port()};
    const auto background = shards_.begin() + static_cast<std::ptrdiff_t>(runtime_.size());
    for (auto& shard : serving) shard->sort({background, shards_.end()});
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
