// SPDX-License-Identifier: MIT
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "common/async/runtime.h"
#include "common/auth/verifier.h"
#include "common/http/client.h"
#include "common/http/server.h"
#include "common/s3/xml_reader.h"
#include "node/front/s3/s3_front.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::front::s3 {

using Headers = std::map<std::string, std::string>;

/// The S3 front over an in-memory cluster, behind a real server, asked by signed requests of two
/// users, alice and bob.
class S3Test : public ::testing::Test {
 protected:
  S3Test();
  ~S3Test() override;

  struct Response {
    int status = 0;
    http::Fields fields;
    std::string body;

    std::string code() const;  // of an error's XML
    aisfs::s3::XmlNode xml() const;
    std::string header(std::string_view name) const { return std::string(fields.get(name)); }
  };

  Response as(const std::string& user,
              http::Method method,
              std::string target,
              std::string body = {},
              const Headers& headers = {});
  Response get(std::string target, const Headers& headers = {}) {
    return as("alice", http::Method::kGet, std::move(target), {}, headers);
  }
  Response head(std::string target, const Headers& headers = {}) {
    return as("alice", http::Method::kHead, std::move(target), {}, headers);
  }
  Response put(std::string target, std::string body = {}, const Headers& headers = {}) {
    return as("alice", http::Method::kPut, std::move(target), std::move(body), headers);
  }
  Response post(std::string target, std::string body = {}, const Headers& headers = {}) {
    return as("alice", http::Method::kPost, std::move(target), std::move(body), headers);
  }
  Response del(std::string target, const Headers& headers = {}) {
    return as("alice", http::Method::kDelete, std::move(target), {}, headers);
  }
  /// Sends a request as it is.
  Response raw(http::RequestHead head, std::string body = {});

  aisfs::s3::SignOptions sign_options(std::string payload = {}) const;
  std::string host() const { return server_->endpoint().to_string(); }

  tests::FakeCluster cluster_;
  RealClock clock_;
  auth::ClusterKey key_ = auth::ClusterKey::generate();
  std::map<std::string, aisfs::s3::KeyPair> keys_ = {{"alice", {"AKALICE", "alice-secret"}},
                                                     {"bob", {"AKBOB", "bob-secret"}}};
  MapSnapshot users_;
  std::unique_ptr<auth::Verifier> verifier_;
  Runtime runtime_{1};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace aisfs::front::s3
