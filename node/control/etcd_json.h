// SPDX-License-Identifier: MIT
// etcd's JSON, as its gateway speaks it on HTTP (3.4 to 3.6, paths below /v3): bytes are base64,
// 64-bit numbers are strings, and what has its default is left out.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "common/wire/meta.h"
#include "node/control/meta_store.h"

namespace aisfs::control::etcd {

namespace json = boost::json;

/// Keys of one cluster among others: every key on the wire begins with the prefix.
class Keys {
 public:
  explicit Keys(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string wire(std::string_view key) const;  // base64
  /// corrupt when it is not base64 or does not begin with the prefix.
  Result<std::string> ours(std::string_view wire) const;

 private:
  std::string prefix_;
};

json::object range_request(const Keys& keys, const meta::GetRequest& request);
json::object txn_request(const Keys& keys, const meta::TxnRequest& request);
json::object watch_request(const Keys& keys, const meta::WatchRequest& request);

/// corrupt when the answer is not what etcd gives.
Result<meta::GetReply> range_reply(const Keys& keys, const json::object& answer);
Result<meta::TxnReply> txn_reply(const Keys& keys, const json::object& answer);

/// One message of a watch.
struct WatchMessage {
  meta::Revision compacted = 0;  // not 0: the watch has ended, what it asked for is forgotten
  bool cancelled = false;
  std::vector<meta::Event> events;
};
Result<WatchMessage> watch_message(const Keys& keys, const json::object& message);

/// The object that `text` is; corrupt when it is none.
Result<json::object> parse(std::string_view text);
/// A number that is one or a string of one; 0 when it is not there.
std::int64_t number(const json::object& object, std::string_view name);

/// What an answer that is not 200 says. unreachable and timed_out: it may have happened.
Error error_of(int status, std::string_view body);

}  // namespace aisfs::control::etcd
