// SPDX-License-Identifier: MIT
#include "tests/unit/node/front/s3/s3_fixture.h"

#include "common/auth/seal.h"
#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::front::s3 {

S3Test::S3Test() {
  auto users = std::make_shared<ClusterMap>();
  for (const auto& [name, keys] : keys_) {
    User user{.id = name, .display_name = "The " + name, .admin = false, .keys = {}};
    user.keys[keys.access_key] = auth::seal(key_.seal(), keys.secret_key, keys.access_key);
    users->users[name] = user;
  }
  users_ = users;
  verifier_ = std::make_unique<auth::Verifier>(key_, [this] { return users_; }, clock_,
                                               auth::VerifierOptions{});
  const auto map = [this] {
    auto whole = std::make_shared<ClusterMap>(*cluster_.current());
    whole->users = users_->users;
    return MapSnapshot(std::move(whole));
  };
  S3FrontDeps deps{.objects = cluster_,
                   .admin = cluster_,
                   .verifier = *verifier_,
                   .map = map,
                   .prefix = {},
                   .domains = {}};
  server_ = std::make_unique<http::Server>(runtime_, http::ServerOptions{.name = "s3", .tls = {}},
                                           make_s3_handler(std::move(deps)));
  client_ = std::make_unique<http::Client>(runtime_, http::ClientOptions{});
  EXPECT_TRUE(server_->listen({"127.0.0.1", 0}).ok());
  runtime_.start();
}

S3Test::~S3Test() {
  client_->close();
  server_->stop(std::chrono::seconds(5));
  runtime_.stop();
}

aisfs::s3::SignOptions S3Test::sign_options(std::string payload) const {
  return {.region = "us-east-1",
          .host = host(),
          .time_ns = clock_.unix_ns(),
          .payload = std::move(payload)};
}

S3Test::Response S3Test::as(const std::string& user,
                            http::Method method,
                            std::string target,
                            std::string body,
                            const Headers& headers) {
  http::RequestHead head{.method = method, .target = std::move(target), .fields = {}};
  for (const auto& [name, value] : headers) head.fields.set(name, value);
  const auto ok =
      aisfs::s3::sign(head, keys_.at(user), sign_options(to_hex(as_bytes(sha256(body)))));
  EXPECT_TRUE(ok.ok());
  return raw(std::move(head), std::move(body));
}

S3Test::Response S3Test::raw(http::RequestHead head, std::string body) {
  http::ClientRequest request{
      .to = server_->endpoint(), .head = std::move(head), .body = std::move(body)};
  request.deadline = Deadline::after(std::chrono::seconds(30));
  auto answer = runtime_.run_on(0, client_->call(std::move(request)));
  EXPECT_TRUE(answer.ok()) << answer.error().what();
  if (!answer.ok()) return {};
  return {.status = answer->head.status, .fields = answer->head.fields, .body = answer->body};
}

aisfs::s3::XmlNode S3Test::Response::xml() const {
  auto root = aisfs::s3::parse_xml(body);
  EXPECT_TRUE(root.ok()) << body;
  return std::move(root).value_or({});
}

std::string S3Test::Response::code() const {
  const auto root = aisfs::s3::parse_xml(body);
  return root.ok() ? std::string(root->get("Code")) : "";
}

}  // namespace aisfs::front::s3
