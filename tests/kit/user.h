// SPDX-License-Identifier: MIT
#pragma once
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/async/runtime.h"
#include "common/client/cluster_client.h"
#include "tests/kit/node_process.h"

namespace aisfs::tests {

using std::chrono::seconds;

struct Started : Runtime {
  Started() : Runtime(1) { start(); }
  ~Started() { stop(); }
};

/// Of the administrator, as the first gateway in that folder keeps them.
inline Credentials admin_keys(const std::string& gateway_dir) {
  Credentials keys;
  std::ifstream file(gateway_dir + "/state/admin.keys");
  for (std::string line; std::getline(file, line);) {
    const std::string value = line.substr(line.find('=') + 1);
    (line.starts_with("AWS_ACCESS") ? keys.access_key : keys.secret_key) = value;
  }
  return keys;
}

/// A client with the keys of one user, that is told of one node or of several.
class User {
 public:
  User(const NodeProcess& node, Credentials credentials)
      : User(std::vector{node.endpoint("public")}, std::move(credentials)) {}
  User(std::vector<Endpoint> nodes, Credentials credentials) {
    ClusterClientOptions options;
    options.endpoints = std::move(nodes);
    options.credentials = std::move(credentials);
    auto connected = runtime_.run_on(0, ClusterClient::connect(runtime_, std::move(options)));
    if (!connected) why_not_ = connected.error().what();
    if (connected) client_ = *std::move(connected);
  }
  ~User() {
    if (client_) client_->stop();
  }

  ClusterClient& api() {
    AISFS_ASSERT(client_ != nullptr);
    return *client_;
  }
  /// Why there is no api(); empty when there is.
  const std::string& why_not() const { return why_not_; }
  static Context within(Duration time) {
    return {.who = {}, .deadline = Deadline::after(time), .trace = {}};
  }
  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }

  Result<Bucket> create(const std::string& bucket, std::uint32_t copies = 1) {
    BucketProps props{.copies = copies};
    return run(api().create_bucket(within(seconds(20)), native_bucket(bucket), std::move(props)));
  }
  Status destroy(const std::string& bucket) {
    return run(api().destroy_bucket(within(seconds(20)), native_bucket(bucket), false));
  }
  Status put(const std::string& bucket, const std::string& key, const std::string& body) {
    return run(put_text(api(), {native_bucket(bucket), key}, body));
  }
  Result<std::string> get(const std::string& bucket,
                          const std::string& key,
                          Duration time = seconds(20)) {
    return run(get_text(api(), {native_bucket(bucket), key}, time));
  }
  std::size_t count(const std::string& bucket) {
    const auto page = run(api().list(within(seconds(20)), native_bucket(bucket), {}));
    return page ? page->entries.size() : 0;
  }

 private:
  static Task<Status> put_text(ClusterClient& api, ObjectName name, std::string body) {
    StringSource source(std::move(body));
    PutOptions options;
    ExpectedChecksums expected;
    CO_TRY(const auto info, co_await api.put(within(seconds(20)), std::move(name),
                                             std::move(options), std::move(expected), source));
    static_cast<void>(info);
    co_return Status{};
  }
  static Task<Result<std::string>> get_text(ClusterClient& api, ObjectName name, Duration time) {
    GetOptions options;
    CO_TRY(auto stream, co_await api.get(within(time), std::move(name), std::move(options)));
    co_return co_await read_all(*stream.body, 64 << 20);
  }

  Started runtime_;
  std::unique_ptr<ClusterClient> client_;
  std::string why_not_;
};

}  // namespace aisfs::tests
