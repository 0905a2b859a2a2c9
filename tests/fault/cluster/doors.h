// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/client/public_transport.h"
#include "common/client/remote_node.h"
#include "tests/kit/user.h"

namespace aisfs::tests::storm {

/// The ways into the cluster of one client: straight to the owner, as ClusterClient goes, or
/// through a node that passes the request on. Blocking calls by one thread.
class Doors {
 public:
  /// `nodes` is asked for the nodes that there are now; any thread.
  Doors(std::function<std::vector<Endpoint>()> nodes, Credentials keys);
  ~Doors();

  /// Why there is no way straight(); empty when there is.
  const std::string& why_not() const { return why_not_; }
  /// To whom a name belongs by the newest map.
  ClusterClient& straight() { return *client_; }
  /// One attempt through the node; which passes it on, tries again, and has time of its own.
  RemoteNode through(Endpoint node);
  /// The node's own disks.
  RemoteNode alone(NodeInfo node) { return RemoteNode(transport_, std::move(node)); }
  std::vector<Endpoint> nodes() const { return nodes_(); }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }

 private:
  /// Takes away what says that the node is not to pass a request on.
  class PassedOn final : public Transport {
   public:
    explicit PassedOn(Transport& transport) : transport_(transport) {}
    Task<Result<http::ClientResponse>> send(NodeInfo node,
                                            Context context,
                                            http::ClientRequest request) override;

   private:
    Transport& transport_;
  };

  std::function<std::vector<Endpoint>()> nodes_;
  Started runtime_;
  http::Client http_{runtime_, {}};
  PublicTransport transport_;
  PassedOn passed_on_{transport_};
  std::unique_ptr<ClusterClient> client_;
  std::string why_not_;
};

}  // namespace aisfs::tests::storm
