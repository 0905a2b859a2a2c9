// SPDX-License-Identifier: MIT
// Objects on their way from target to target: their metadata in a header, or, when they are too
// long for one, in front of the bytes.
#pragma once
#include <memory>
#include <string>

#include "common/http/message.h"
#include "node/store/store.h"

namespace aisfs::cluster {

/// Of a request or response with a copy: the base64 envelope of its metadata.
inline constexpr std::string_view kCopyHeader = "Ais-Copy";
/// Instead: how many bytes in front of the body are the envelope.
inline constexpr std::string_view kCopyPrefixHeader = "Ais-Copy-Prefix";

/// The envelope of a copy's metadata, and what it says. corrupt, invalid_argument.
std::string encode_copy_meta(const store::StoredMeta& meta);
Result<store::StoredMeta> decode_copy_meta(std::string_view bytes);

/// Names the metadata in `fields`; what has to be in front of the body, "" for nothing.
std::string describe_copy(const store::StoredMeta& meta, http::Fields& fields);

/// A body with something in front of it. `inner` outlives it.
class PrefixedSource final : public BodySource {
 public:
  PrefixedSource(std::string prefix, BodySource& inner)
      : prefix_(std::move(prefix)), inner_(inner) {}

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override;

 private:
  StringSource prefix_;
  BodySource& inner_;
};

/// What is in front of a body; `size` is the value of the header that says how much, at most
/// `limit`.
Task<Result<std::string>> read_prefix(std::string size, BodySource& body, std::size_t limit);

/// The metadata that `fields` name; `body` is then at the object's first byte. corrupt,
/// invalid_argument.
Task<Result<store::StoredMeta>> read_copy_meta(const http::Fields& fields, BodySource& body);

}  // namespace aisfs::cluster
