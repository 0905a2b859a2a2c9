// SPDX-License-Identifier: MIT
// A connected socket, plain or TLS, with a bound on every wait. Used by both ends.
#pragma once
#include <sys/uio.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "common/async/task.h"
#include "common/base/bytes.h"

namespace aisfs::http {

// Concrete executors: any_io_executor costs about 5 % of a small request.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// How slow a peer may be: waiting uses up credit, bytes bring it back, never over `grace`.
class Pace {
 public:
  /// Rate 0: every wait may last `grace`.
  Pace(Duration grace, std::uint64_t bytes_per_second_min)
      : grace_(grace), rate_(bytes_per_second_min), credit_(grace) {}

  TimePoint deadline(TimePoint now) const { return now + credit_; }
  void waited(Duration d) { credit_ -= rate_ == 0 ? Duration::zero() : d; }
  void moved(std::size_t bytes);

 private:
  Duration grace_;
  std::uint64_t rate_;
  Duration credit_;
};

/// One timer a connection: it is armed for the earliest deadline and looks at the current one when
/// it fires, so that an ordinary request does not touch it.
class Watchdog {
 public:
  explicit Watchdog(Socket& socket);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// From now until end(), cancels the socket's operations once the deadline is over.
  void begin(TimePoint deadline);
  /// True when it did.
  bool end();

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state, TimePoint at);
  std::shared_ptr<State> state_;
};

/// Errors: timed_out, unreachable (closed or reset by the peer), cancelled. One reader and one
/// writer in turn, on the socket's executor. Destroying it closes the socket.
class Stream {
 public:
  explicit Stream(Socket socket);

  Socket& socket() { return socket_; }
  int fd() { return socket_.native_handle(); }
  bool is_tls() const { return tls_ != nullptr; }

  Task<Status> connect(asio::ip::tcp::endpoint to, TimePoint deadline);
  Task<Status> accept_tls(asio::ssl::context& context, TimePoint deadline);
  /// After connect(). The server's certificate has to be trusted by `context` and to name `host`,
  /// a name or an address. unreachable says OpenSSL's reason.
  Task<Status> connect_tls(asio::ssl::context& context, std::string host, TimePoint deadline);

  /// At least one byte; 0 is the orderly end.
  Task<Result<std::size_t>> read_some(MutableBytes into, TimePoint deadline);
  Task<Result<std::size_t>> read_some(MutableBytes into, Pace& pace);

  /// Writes all pieces with as few calls as there can be. `flags` go to sendmsg (MSG_MORE).
  struct Pieces {
    std::array<iovec, 4> items{};
    std::size_t count = 0;
    Pieces& add(ConstBytes bytes);
    std::size_t size() const;
    void drop(std::size_t bytes);
    /// The first bytes of all pieces in one.
    asio::const_buffer join(std::size_t bytes_max, std::string& into) const;
    /// One sendmsg without a signal; errno as it sets it.
    ssize_t send(int fd, int flags);
  };
  Task<Status> write(Pieces pieces, Pace& pace, int flags = 0);
  Task<Status> write(std::string_view text, Pace& pace);
  /// What a plain socket takes at once leaves, and goes from `pieces`. True when nothing is left;
  /// an error shows again when the rest is written.
  bool write_now(Pieces& pieces);
  /// Plain sockets only. Readable is also one whose peer has ended.
  Task<Status> wait_writable(Pace& pace);
  Task<Status> wait_readable(Pace& pace);

  /// Bytes or the end of the stream are there to be read now; of TLS not necessarily any of the
  /// application's.
  bool readable();
  /// After connect_tls(): what read_some() would give without waiting; nullopt when it would wait.
  std::optional<std::size_t> read_now(MutableBytes into);

  /// The next close resets the connection, so that the peer takes nothing for complete.
  void reset_on_close();
  /// Ends our direction, discards what still comes until the peer ends its own or the deadline.
  /// Without it, closing with unread bytes would reset and take our last words from the peer.
  Task<void> linger(TimePoint deadline);

 private:
  using Tls = asio::ssl::stream<Socket&>;
  Task<Status> write_tls(Pieces pieces, Pace& pace);
  Task<Status> wait(Socket::wait_type what, Pace& pace);
  Task<Status> handshake(Tls::handshake_type end, TimePoint deadline);
  bool is_end(boost::system::error_code ec) const;
  Error error_of(boost::system::error_code ec, bool expired) const;

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  Watchdog watchdog_;
};

/// Bytes that were received and not yet consumed.
class InBuffer {
 public:
  std::string_view view() const { return {data_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t n);
  /// Room for at least `at_least` more bytes. Invalidates views.
  MutableBytes space(std::size_t at_least);
  void commit(std::size_t n) { end_ += n; }
  /// Moves up to into.size() bytes out.
  std::size_t take(MutableBytes into);

 private:
  std::vector<char> data_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace aisfs::http
