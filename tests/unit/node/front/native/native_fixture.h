// SPDX-License-Identifier: MIT
#pragma once
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/http/client.h"
#include "tests/kit/http_cluster.h"

namespace aisfs::native {

namespace json = boost::json;
using http::Method;

/// Requests of one user to nodes with the native front.
class NativeTest : public testing::Test {
 protected:
  explicit NativeTest(std::size_t targets = 1)
      : cluster_(targets), http_(cluster_.runtime(), http::ClientOptions{}) {
    cluster_.add_bucket("b");
  }
  ~NativeTest() override { http_.close(); }

  struct Request {
    Method method = Method::kGet;
    std::string target;
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
    std::size_t node = 0;
    std::string user = "root";
  };

  http::Client::Whole call(Request r) {
    http::ClientRequest request;
    request.to = cluster_.endpoint(r.node);
    request.head.method = r.method;
    request.head.target = r.target;
    for (const auto& [name, value] : r.fields) request.head.fields.add(name, value);
    if (!r.user.empty()) {
      request.head.fields.set("Authorization", "Bearer " + cluster_.token_of(r.user));
    }
    request.body = r.body;
    request.deadline = Deadline::after(std::chrono::seconds(10));
    auto whole = cluster_.run(http_.call(std::move(request)));
    EXPECT_TRUE(whole.ok()) << whole.error().what();
    return whole ? *std::move(whole) : http::Client::Whole{};
  }
  http::Client::Whole act(Method method, std::string target, std::string action) {
    return call({.method = method, .target = std::move(target), .body = std::move(action)});
  }
  http::Client::Whole put(std::string key, std::string body) {
    return call(
        {.method = Method::kPut, .target = "/v1/objects/b/" + key, .body = std::move(body)});
  }
  static json::value parsed(const http::Client::Whole& reply) { return json::parse(reply.body); }
  static std::string field(const http::Client::Whole& reply, std::string_view name) {
    return std::string(reply.head.fields.get(name));
  }

  tests::HttpCluster cluster_;
  http::Client http_;
};

}  // namespace aisfs::native
