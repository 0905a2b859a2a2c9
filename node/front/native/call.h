// SPDX-License-Identifier: MIT
// A request that was verified, and what its handlers take out of it.
#pragma once
#include <boost/json/value.hpp>
#include <string>

#include "common/auth/verifier.h"
#include "common/client/jobs_api.h"
#include "common/client/object_api.h"
#include "common/http/server.h"
#include "node/target/local_target.h"

namespace aisfs::native {

/// One request on its way through the routes; lives as long as its exchange.
struct Call {
  http::Exchange& exchange;
  ObjectApi& objects;  // the one to ask: the whole cluster or, for a marked request, this node
  AdminApi& admin;
  MapSource& maps;
  std::string node_id;
  Context context;
  BodySource& body;                       // reads as the signature demands
  MapSnapshot map;                        // of the beginning of the request
  target::LocalTarget* stored = nullptr;  // this node's own objects; null on a gateway
  bool marked = false;                    // Ais-Scope: node
  bool may_redirect = false;
  const auth::ClusterKey* key = nullptr;  // signs redirects
  std::int64_t started_ns = 0;
  bool tls_inside = false;  // between nodes
  JobsApi* jobs_api = nullptr;

  /// unsupported where there is none.
  Result<JobsApi*> jobs() const;

  http::Method method() const { return exchange.request().method; }
  const http::Target& target() const { return exchange.target(); }
  std::string_view field(std::string_view name) const {
    return exchange.request().fields.get(name);
  }
  std::string query(std::string_view name) const { return std::string(target().get(name)); }
  /// true, y, yes, on, 1
  bool flag(std::string_view name) const;
};

/// The session of a mount that the request names; 0 for none.
std::uint64_t session_of(const http::RequestHead& head);

/// Context::unless_newer as the request has it; nothing is older than one that cannot be read.
std::optional<Version> unless_newer_of(const http::RequestHead& head);

/// The words of the path behind `/v1/<group>/`: bucket and the rest, either may be "".
struct PathTail {
  std::string first;
  std::string rest;
};
PathTail tail_of(const http::Target& target, std::string_view group);

/// The bucket of `name` with provider and namespace of the query; invalid_argument for a provider
/// that does not exist, unsupported for one without a backend.
Result<BucketName> bucket_of(const Call& call, std::string name);

/// "ais/@#/bucket/object" as `bck_to` and `object_to` have it; the key may be empty.
Result<ObjectName> parse_uname(std::string_view text);

/// The JSON object of the body; an empty one when there is no body.
Task<Result<boost::json::value>> read_message(BodySource& body);

/// AIStore's {"action", "name", "value"}; all empty when the body is.
struct ActionMessage {
  std::string action;
  std::string name;
  boost::json::value value;
};
Task<Result<ActionMessage>> read_action(BodySource& body);

/// Case-insensitive member; null when `object` is no object or has none.
const boost::json::value* member(const boost::json::value& object, std::string_view name);
/// The member as text: of a string itself, of a number its digits, else "".
std::string text_member(const boost::json::value& object, std::string_view name);
/// The member as number, also of a string of digits.
std::uint64_t number_member(const boost::json::value& object, std::string_view name);

}  // namespace aisfs::native
