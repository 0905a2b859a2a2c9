// SPDX-License-Identifier: MIT
#include "aisfs/cli/app.h"
#include "common/client/cluster_client.h"
#include "common/client/endpoints.h"

namespace aisfs::cli {
namespace {

class ClusterLink final : public Link {
 public:
  explicit ClusterLink(std::unique_ptr<ClusterClient> client) : client_(std::move(client)) {}

  ObjectApi& objects() override { return *client_; }
  AdminApi& admin() override { return *client_; }
  MapSource& map() override { return *client_; }
  JobsApi& jobs() override { return client_->jobs(); }
  void stop() override { client_->stop(); }

 private:
  std::unique_ptr<ClusterClient> client_;
};

Task<Result<std::unique_ptr<Link>>> connect(Runtime& runtime, GlobalOptions options) {
  ClusterClientOptions client;
  CO_TRY(auto given, GivenEndpoints::parse(options.endpoint));
  client.endpoints = std::move(given.nodes);
  client.tls = given.tls;
  client.ca_file = std::move(options.ca_file);
  CO_TRY(client.credentials, find_credentials(environment_of_process()));
  client.operation_timeout = options.timeout;
  CO_TRY(auto connected, co_await ClusterClient::connect(runtime, std::move(client)));
  std::unique_ptr<Link> link = std::make_unique<ClusterLink>(std::move(connected));
  co_return link;
}

}  // namespace
}  // namespace aisfs::cli

int main(int argc, char** argv) {
  aisfs::Runtime runtime(1);
  runtime.start();
  aisfs::cli::Output out = aisfs::cli::Output::of_process();
  auto connect = [&runtime](aisfs::cli::GlobalOptions options) {
    return aisfs::cli::connect(runtime, std::move(options));
  };
  const int status = aisfs::cli::run_ais({argv + 1, argv + argc}, runtime, out,
                                         aisfs::cli::environment_of_process(), connect);
  runtime.stop();
  return status;
}
