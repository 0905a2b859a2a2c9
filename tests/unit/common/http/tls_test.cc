// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/unit/common/http/loopback.h"

namespace aisfs::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Task<void> echo_as_file(Exchange& exchange, int fd) {
  EXPECT_TRUE(exchange.is_tls());
  auto body = co_await read_all(exchange.body(), 16_MiB);
  EXPECT_TRUE(body.ok());
  if (!body) co_return;
  EXPECT_EQ(::pwrite(fd, body->data(), body->size(), 0), static_cast<ssize_t>(body->size()));
  FileBody file(fd, 0, body->size());
  ResponseHead head;
  EXPECT_TRUE((co_await exchange.respond(std::move(head), file)).ok());
}

class TlsTest : public Loopback {
 protected:
  TlsTest() : tls_(certificate("mine", "IP:127.0.0.1")) {}

  /// Signed by itself, so it is its own authority.
  TlsOptions certificate(const std::string& name, const std::string& subjects) {
    TlsOptions made{folder_ + "/" + name + ".pem", folder_ + "/" + name + ".key"};
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
        " -subj /CN=localhost -addext subjectAltName=" +
        subjects + " -keyout " + made.key_file + " -out " + made.certificate_file + " 2>/dev/null");
    return made;
  }
  static void run(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  /// What the server answers to `text` over TLS; its certificate is checked.
  std::string ask_securely(const std::string& text, const std::string& options = {}) {
    std::ofstream(folder_ + "/request", std::ios::binary) << text;
    const std::string command = "timeout 20 openssl s_client -quiet -verify_quiet -verify_return_error -CAfile " +
                                tls_.certificate_file + " -verify_ip 127.0.0.1 " + options + " -connect " +
                                server_->endpoint().to_string() + " < " + folder_ + "/request > " +
                                folder_ + "/answer 2>/dev/null";
    (void)std::system(command.c_str());
    std::ifstream answer(folder_ + "/answer", std::ios::binary);
    return {std::istreambuf_iterator<char>(answer), {}};
  }
  void serve_securely() {
    file_ = UniqueFd(::open((folder_ + "/object").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ServerOptions options;
    options.tls = tls_;
    options.header_timeout = 2s;
    serve([this](Exchange& exchange) { return echo_as_file(exchange, file_.get()); }, options);
  }

  /// A client that trusts the certificate of `ca_file`.
  Client& client_trusting(const std::string& ca_file) {
    auto tls = make_client_tls({.ca_file = ca_file});
    EXPECT_TRUE(tls.ok());
    return client({.tls = *std::move(tls), .connect_timeout = 1s});
  }
  /// What a client that trusts `ca_file` says of its failure to reach the server.
  std::string failure_of_client_trusting(const std::string& ca_file) {
    client_trusting(ca_file);
    const auto got = call(request(Method::kGet, "/"));
    EXPECT_FALSE(got.ok());
    if (got) return {};
    EXPECT_EQ(got.error(), Errc::unreachable);
    EXPECT_THAT(got.error().what(),
                StartsWith("connect to " + server_->endpoint().to_string() + ": "));
    return got.error().what();
  }

  TlsOptions tls_;
};

Task<void> echo_with_peer(Exchange& exchange) {
  auto body = co_await read_all(exchange.body(), 16_MiB);
  EXPECT_TRUE(body.ok());
  if (!body) co_return;
  ResponseHead head;
  head.fields.add("X-Peer", exchange.peer());
  EXPECT_TRUE((co_await exchange.respond(std::move(head), *std::move(body))).ok());
}

TEST_F(TlsTest, BodiesGoBothWays) {
  serve_securely();
  for (std::size_t size : {0ul, 5000ul, 2'000'000ul}) {
    const std::string answer =
        ask_securely("PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(size) + "\r\n\r\n" + pattern(size));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK")) << size;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + pattern(size))) << size;
  }
}

TEST_F(TlsTest, OldVersionsAndPlainTextAreRefused) {
  serve_securely();
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(ask_securely(get, "-tls1_1"), "");
  EXPECT_TRUE(ask_securely(get, "-tls1_2").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(ask(get).find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(TlsTest, AMissingCertificateIsNamed) {
  ServerOptions options;
  options.tls = TlsOptions{folder_ + "/none.pem", folder_ + "/none.key"};
  Server server(runtime_, options, [](Exchange&) -> Task<void> { co_return; });
  const Status status = server.listen({"127.0.0.1", 0});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().what().find("none.pem"), std::string::npos);
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsRefused) {
  ServerOptions options;
  options.tls = TlsOptions{tls_.certificate_file, certificate("other", "IP:127.0.0.1").key_file};
  Server server(runtime_, options, [](Exchange&) -> Task<void> { co_return; });
  const Status status = server.listen({"127.0.0.1", 0});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what(), HasSubstr("other.key: key values mismatch"));
}

TEST_F(TlsTest, AClientsRequestsShareAConnection) {
  serve(echo_with_peer, {.tls = tls_});
  client_trusting(tls_.certificate_file);
  std::set<std::string> peers;
  for (std::size_t size : {0ul, 1ul, 70'000ul, 3'000'000ul}) {
    const auto got = call(request(Method::kPut, "/", pattern(size)));
    ASSERT_TRUE(got.ok()) << got.error().what();
    EXPECT_TRUE(got->body == pattern(size)) << size;
    peers.insert(std::string(got->head.fields.get("X-Peer")));
  }
  EXPECT_EQ(peers.size(), 1u);
}

TEST_F(TlsTest, AClientsStreamsAndFiles) {
  serve_securely();
  client_trusting(tls_.certificate_file);
  for (const bool asks : {false, true}) {
    PiecesBody pieces({"one ", "two ", pattern(200'000)});
    auto put = request(Method::kPut, "/");
    put.stream = &pieces;
    put.expect_continue = asks;
    bool sent = false;
    put.sent = [&] { sent = true; };
    const auto got = call(std::move(put));
    ASSERT_TRUE(got.ok()) << got.error().what();
    EXPECT_TRUE(got->body == "one two " + pattern(200'000));
    EXPECT_TRUE(sent);
  }
  FileBody file(file_.get(), 4, 200'000);
  auto put = request(Method::kPut, "/");
  put.stream = &file;
  const auto got = call(std::move(put));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_TRUE(got->body == ("one two " + pattern(200'000)).substr(4, 200'000));
}

/// More than any buffer on the way holds, so that its end is sent only when somebody reads.
class EndlessBody final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    std::fill(into.begin(), into.end(), std::byte{'x'});
    co_return into.size();
  }
};

TEST_F(TlsTest, AnAnswerBeforeTheBodysEndIsSeen) {
  serve(
      [](Exchange& exchange) -> Task<void> {
        ResponseHead head{.status = 403};
        EXPECT_TRUE((co_await exchange.respond(std::move(head), std::string("no"))).ok());
      },
      {.tls = tls_});
  client_trusting(tls_.certificate_file);
  EndlessBody body;
  auto put = request(Method::kPut, "/");
  put.stream = &body;
  const auto got = call(std::move(put));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->head.status, 403);
}

/// 12 MB, and a word when the first of them is wanted.
class TellingBody final : public BodySource {
 public:
  explicit TellingBody(std::atomic<bool>& begun) : begun_(begun) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    begun_ = true;
    const std::size_t n = std::min(into.size(), left_);
    std::fill_n(into.begin(), n, std::byte{'x'});
    left_ -= n;
    co_return n;
  }

 private:
  std::atomic<bool>& begun_;
  std::size_t left_ = 12'000'000;
};

Task<void> echo_when(std::atomic<bool>& begun, Exchange& exchange) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!begun) {
    timer.expires_after(1ms);
    co_await timer.async_wait(use_ec);
  }
  co_await echo_with_peer(exchange);
}

TEST_F(TlsTest, ALateGoAheadIsNoAnswer) {
  std::atomic<bool> begun = false;
  serve([&begun](Exchange& exchange) { return echo_when(begun, exchange); }, {.tls = tls_});
  client_trusting(tls_.certificate_file);
  TellingBody body(begun);
  auto put = request(Method::kPut, "/");
  put.stream = &body;
  put.expect_continue = true;  // the client waits a second for it, then it sends
  const auto got = call(std::move(put));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->body.size(), 12'000'000u);
}

TEST_F(TlsTest, AConnectionThatTheServerClosedIsReplaced) {
  serve(echo_with_peer, {.tls = tls_});
  client_trusting(tls_.certificate_file);
  ASSERT_TRUE(call(request(Method::kGet, "/")).ok());
  server_->stop(1s);
  Server again(runtime_, {.tls = tls_}, echo_with_peer);
  ASSERT_TRUE(again.listen(server_->endpoint()).ok());
  const auto got = call(request(Method::kGet, "/"));
  EXPECT_TRUE(got.ok()) << got.error().what();
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefused) {
  serve(echo_with_peer, {.tls = tls_});
  const auto other = certificate("other", "IP:127.0.0.1");
  EXPECT_THAT(failure_of_client_trusting(other.certificate_file),
              EndsWith("certificate verify failed: self-signed certificate"));
}

TEST_F(TlsTest, AnotherHostsCertificateIsRefused) {
  const auto other = certificate("other", "IP:127.0.0.2,DNS:127.0.0.1,DNS:example.org");
  serve(echo_with_peer, {.tls = other});
  EXPECT_THAT(failure_of_client_trusting(other.certificate_file),
              EndsWith("certificate verify failed: IP address mismatch"));
}

TEST_F(TlsTest, ANameIsCheckedAsOne) {
  const auto named = certificate("named", "DNS:localhost");
  serve(echo_with_peer, {.tls = named});
  client_trusting(named.certificate_file);
  auto get = request(Method::kGet, "/");
  get.to.host = "localhost";
  const auto got = call(std::move(get));
  EXPECT_TRUE(got.ok()) << got.error().what();
  EXPECT_THAT(failure_of_client_trusting(named.certificate_file), EndsWith("IP address mismatch"));
}

TEST_F(TlsTest, APlainServerIsNoTlsServer) {
  serve(echo_with_peer);
  EXPECT_THAT(failure_of_client_trusting(tls_.certificate_file), HasSubstr("TLS handshake: "));
}

TEST_F(TlsTest, ASilentServerIsGivenUp) {
  // The kernel takes connections, nobody takes them from the kernel.
  const UniqueFd silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  ASSERT_EQ(::bind(silent.get(), address, size), 0);
  ASSERT_EQ(::listen(silent.get(), 1), 0);
  ASSERT_EQ(::getsockname(silent.get(), address, &size), 0);
  client_trusting(tls_.certificate_file);
  ClientRequest get;
  get.to = {"127.0.0.1", ::ntohs(at.sin_port)};
  get.head = {.method = Method::kGet, .target = "/", .fields = {}};
  get.deadline = Deadline::after(10s);
  const auto got = call(std::move(get));
  ASSERT_FALSE(got.ok());
  // By the connect's own timeout: it says something else when the request's time has run out.
  EXPECT_THAT(got.error().what(), HasSubstr("no answer to the connect"));
}

TEST_F(TlsTest, AMissingAuthorityIsNamed) {
  const auto tls = make_client_tls({.ca_file = folder_ + "/none.pem"});
  ASSERT_FALSE(tls.ok());
  EXPECT_EQ(tls.error(), Errc::invalid_argument);
  EXPECT_THAT(tls.error().what(), HasSubstr("none.pem: No such file"));
  EXPECT_TRUE(make_client_tls({}).ok());  // the system's
}

}  // namespace
}  // namespace aisfs::http
