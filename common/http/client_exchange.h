// SPDX-License-Identifier: MIT
#pragma once
#include "common/http/client.h"
#include "common/http/conn_pool.h"
#include "common/http/head_parser.h"

namespace aisfs::http {

/// A peer that moves nothing of a body for this long is taken for dead.
inline constexpr Duration kBodyStallMax = std::chrono::seconds(30);

/// What came of one try to exchange a request for a response's head.
struct ExchangeResult {
  ParsedResponse response;
  bool reusable = true;  // false: bytes of the request or of an earlier answer may still be under way
};

/// Sends `request` on `connection` and reads the head of the answer.
class ClientExchange {
 public:
  ClientExchange(ClientConnection& connection, const ClientRequest& request, std::size_t header_bytes_max)
      : connection_(connection), request_(request), header_bytes_max_(header_bytes_max),
        deadline_(request.deadline.at()) {}

  Task<Result<ExchangeResult>> run();
  /// Nothing of an answer had come when run() failed.
  bool silent() const { return !heard_; }

 private:
  Task<Result<std::optional<ExchangeResult>>> ask_to_continue();
  Task<Status> send(std::string_view head, BodySource* body, Framing framing);
  Task<Result<ParsedResponse>> read_final_head();
  Task<Result<ParsedResponse>> read_head(TimePoint deadline);
  bool answered_early();
  bool answered_early_by_tls();

  ClientConnection& connection_;
  const ClientRequest& request_;
  const std::size_t header_bytes_max_;
  TimePoint deadline_;
  bool heard_ = false;
  bool source_failed_ = false;
};

}  // namespace aisfs::http
