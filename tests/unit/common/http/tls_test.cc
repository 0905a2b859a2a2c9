// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <fstream>

#include "tests/unit/common/http/loopback.h"

namespace aisfs::http {
namespace {

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
  TlsTest() : tls_{folder_ + "/cert.pem", folder_ + "/key.pem"} {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
        " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
        tls_.key_file + " -out " + tls_.certificate_file + " 2>/dev/null");
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

  TlsOptions tls_;
  UniqueFd file_;
};

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

}  // namespace
}  // namespace aisfs::http
