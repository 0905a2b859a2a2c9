// SPDX-License-Identifier: MIT
#include "common/http/client.h"

#include "common/async/background.h"
#include "common/http/body_reader.h"
#include "common/http/client_exchange.h"
#include "common/http/conn_pool.h"
#include "common/http/lower_effort.h"
#include "common/http/tls.h"

namespace aisfs::http {

using asio::ip::tcp;

/// The response and its body: it owns the connection until the body's end.
class ClientResponse::Impl final : public BodySource, private BodySocket {
 public:
  Impl(ConnPool::Slot slot, std::unique_ptr<ClientConnection> connection, ExchangeResult result)
      : slot_(std::move(slot)),
        connection_(std::move(connection)),
        reusable_(result.reusable && result.response.keep_alive),
        head_(std::move(result.response.head)),
        reader_(connection_->stream, connection_->in,
                {.framing = result.response.framing, .pace = Pace(kBodyStallMax, 0)}) {
    give_back_if_done();
  }

  const ResponseHead& head() const { return head_; }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    auto n = co_await reader_.read(into);
    after(n.ok());
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return reader_.remaining(); }
  BodySocket* socket() override { return reader_.socket() == nullptr ? nullptr : this; }

 private:
  Result<std::size_t> splice_to(int pipe, std::size_t max) override {
    auto n = reader_.socket()->splice_to(pipe, max);
    after(n.ok());
    return n;
  }
  Task<Status> wait() override {
    Status there = co_await reader_.socket()->wait();
    after(there.ok());
    co_return there;
  }

  void after(bool ok) {
    if (!ok) {
      connection_.reset();
      slot_ = ConnPool::Slot();
    }
    give_back_if_done();
  }
  void give_back_if_done() {
    if (!reader_.done() || connection_ == nullptr) return;
    if (reusable_ && connection_->in.empty()) slot_.keep(std::move(connection_));
    connection_.reset();
    const ConnPool::Slot released = std::move(slot_);
  }

  ConnPool::Slot slot_;
  std::unique_ptr<ClientConnection> connection_;
  bool reusable_;
  ResponseHead head_;
  BodyReader reader_;
};

ClientResponse::ClientResponse(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;
const ResponseHead& ClientResponse::head() const { return impl_->head(); }
BodySource& ClientResponse::body() { return *impl_; }
std::unique_ptr<BodySource> ClientResponse::take_body() && { return std::move(impl_); }

class Client::Impl {
 public:
  Impl(Runtime& runtime, ClientOptions options) : runtime_(runtime), options_(std::move(options)) {
    for (std::size_t i = 0; i < runtime.all(); ++i) {
      pools_.push_back(std::make_shared<ConnPool>(runtime.shard(i), options_));
    }
  }

  Task<Result<ClientResponse>> send(ClientRequest request) {
    const auto pool = pools_[Runtime::current_shard()];
    auto acquired = co_await pool->acquire(request.to, request.deadline);
    if (!acquired) co_return std::move(acquired).error().mark_never_sent();
    ConnPool::Slot slot = *std::move(acquired);
    auto connection = slot.take_idle();
    const bool reused = connection != nullptr;
    if (reused) {
      ClientExchange exchange(*connection, request, options_.header_bytes_max);
      auto result = co_await exchange.run();
      if (result) co_return respond(std::move(slot), std::move(connection), *std::move(result));
      Error why = std::move(result).error();
      const bool stale = why == Errc::unreachable && exchange.silent();
      if (stale && request.once) static_cast<void>(std::move(why).context("it may have happened"));
      if (!stale || request.once || request.stream != nullptr) {
        co_return std::move(why).context(request.to.to_string());
      }
    }
    connection = nullptr;
    auto connected = co_await connect(*pool, request.to, request.deadline);
    // Who has got it on the connection that closed may have acted on it.
    if (!connected && reused) co_return std::move(connected).error();
    if (!connected) co_return std::move(connected).error().mark_never_sent();
    connection = *std::move(connected);
    ClientExchange exchange(*connection, request, options_.header_bytes_max);
    auto result = co_await exchange.run();
    if (!result) co_return std::move(result).error().context(request.to.to_string());
    co_return respond(std::move(slot), std::move(connection), *std::move(result));
  }

  void close() {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      if (runtime_.running()) {
        runtime_.run_on(i, close_idle(pools_[i]));
      } else {
        pools_[i]->close_idle();
      }
    }
  }

 private:
  static Task<void> close_idle(std::shared_ptr<ConnPool> pool) {
    pool->close_idle();
    co_return;
  }

  static ClientResponse respond(ConnPool::Slot slot,
                                std::unique_ptr<ClientConnection> connection,
                                ExchangeResult result) {
    return ClientResponse(std::make_unique<ClientResponse::Impl>(
        std::move(slot), std::move(connection), std::move(result)));
  }

  static Task<Result<std::vector<tcp::endpoint>>> resolve(ConnPool& pool, Endpoint to) {
    boost::system::error_code ec;
    std::vector<tcp::endpoint> found;
    const auto address = asio::ip::make_address(to.host, ec);
    if (!ec) {
      found.emplace_back(address, to.port);
      co_return found;
    }
    asio::ip::basic_resolver<tcp, Executor> resolver(pool.io());
    const std::string port = std::to_string(to.port);
    auto [failed, results] = co_await resolver.async_resolve(to.host, port, use_ec);
    if (failed) co_return Error(Errc::unreachable, "resolve " + to.host + ": " + failed.message());
    for (const auto& result : results) found.push_back(result.endpoint());
    co_return found;
  }

  Task<Result<std::unique_ptr<ClientConnection>>> connect(ConnPool& pool, Endpoint to, Deadline deadline) {
    CO_TRY(const auto addresses, co_await resolve(pool, to));
    Error last(Errc::unreachable, "no address");
    for (const tcp::endpoint& address : addresses) {
      Socket socket(pool.io().get_executor());
      boost::system::error_code ignored;  // connect() tries again
      socket.open(address.protocol(), ignored);
      if (is_background_thread()) mark_lower_effort(socket);
      auto connection = std::make_unique<ClientConnection>(std::move(socket));
      const Deadline connected = deadline.earlier(Deadline::after(options_.connect_timeout));
      Status done = co_await connection->stream.connect(address, connected.at());
      if (done) limit_send_buffer(connection->stream.socket());
      if (done && options_.tls) {
        done = co_await connection->stream.connect_tls(options_.tls->ssl, to.host, connected.at());
      }
      if (done) co_return connection;
      last = std::move(done).error();
      if (deadline.expired()) break;
    }
    // A server that does not answer at all is away, unless it was our own time that ran out.
    if (last == Errc::timed_out && !deadline.expired()) {
      last = Error(Errc::unreachable, "no answer to the connect");
    }
    co_return std::move(last).context("connect to " + to.to_string());
  }

  void limit_send_buffer(Socket& socket) const {
    if (options_.send_buffer_bytes == 0) return;
    boost::system::error_code ignored;  // then it is the kernel's
    socket.set_option(asio::socket_base::send_buffer_size(options_.send_buffer_bytes), ignored);
  }

  Runtime& runtime_;
  const ClientOptions options_;
  std::vector<std::shared_ptr<ConnPool>> pools_;
};

Client::Client(Runtime& runtime, ClientOptions options)
    : impl_(std::make_unique<Impl>(runtime, std::move(options))) {}
Client::~Client() { impl_->close(); }
void Client::close() { impl_->close(); }

Task<Result<ClientResponse>> Client::send(ClientRequest request) {
  return impl_->send(std::move(request));
}

Task<Result<Client::Whole>> Client::call(ClientRequest request, std::size_t body_max) {
  const std::string to = request.to.to_string();
  CO_TRY(auto response, co_await send(std::move(request)));
  const auto known = response.body().remaining();
  if (known && *known > body_max) {
    co_return Error(Errc::too_large, to + ": body over " + std::to_string(body_max) + " bytes");
  }
  Whole whole;
  whole.head = response.head();
  auto body = co_await read_all(response.body(), body_max);
  if (!body) co_return std::move(body).error().context(to);
  whole.body = *std::move(body);
  co_return whole;
}

}  // namespace aisfs::http
