// SPDX-License-Identifier: MIT
#include "node/ec/slice_header.h"

namespace aisfs::ec {
namespace {

Error contradiction(const std::string& what) {
  return Error(Errc::corrupt, "slice header: " + what);
}

/// Why a decoded header cannot be one that was encoded; empty if it can.
std::string contradiction_in(const SliceHeader& header) {
  const auto layout = Layout::make(header.geometry, header.unit, header.object_bytes);
  if (!layout) return layout.error().what();
  const unsigned slices = header.geometry.slices();
  if (header.index >= slices) {
    return "index " + std::to_string(header.index) + " of " + std::to_string(slices) + " slices";
  }
  if (header.slice_roots.size() != slices) {
    return std::to_string(header.slice_roots.size()) + " hashes of " + std::to_string(slices) +
           " slices";
  }
  if (header.meta.size() > kSliceMetaBytesMax) {
    return std::to_string(header.meta.size()) + " bytes of metadata";
  }
  return {};
}

/// In which respect two slices of one version differ; empty if they are of one object.
std::string difference(const SliceHeader& a, const SliceHeader& b) {
  if (a.geometry != b.geometry)
    return "geometry " + b.geometry.to_string() + ", not " + a.geometry.to_string();
  if (a.unit != b.unit)
    return "stripe unit " + std::to_string(b.unit) + ", not " + std::to_string(a.unit);
  if (a.object_bytes != b.object_bytes) {
    return "object of " + std::to_string(b.object_bytes) + " bytes, not " +
           std::to_string(a.object_bytes);
  }
  if (a.object_root != b.object_root) return "another hash of the object";
  for (std::size_t i = 0; i < a.slice_roots.size(); ++i) {
    if (a.slice_roots[i] != b.slice_roots[i]) return "another hash of slice " + std::to_string(i);
  }
  return {};
}

}  // namespace

std::string encode_header(const SliceHeader& header) { return wire::encode(header); }

Result<SliceHeader> decode_header(std::string_view bytes) {
  if (bytes.size() > kSliceHeaderBytesMax) {
    return contradiction(std::to_string(bytes.size()) + " bytes, at most " +
                         std::to_string(kSliceHeaderBytesMax) + " are possible");
  }
  auto header = wire::decode<SliceHeader>(bytes);
  if (!header) return std::move(header).error().context("slice header");
  if (const std::string why = contradiction_in(*header); !why.empty()) return contradiction(why);
  return header;
}

Status check_same_object(std::span<const SliceHeader> headers) {
  SliceSet seen;
  for (const SliceHeader& header : headers) {
    const std::string name = "slice " + std::to_string(header.index);
    const SliceHeader& first = headers.front();
    if (header.version != first.version) {
      return Error(Errc::precondition_failed,
                   name + " is of version " + header.version.to_string() + ", slice " +
                       std::to_string(first.index) + " of " + first.version.to_string());
    }
    if (const std::string what = difference(first, header); !what.empty()) {
      return Error(Errc::corrupt, name + " has " + what + " as slice " +
                                      std::to_string(first.index) + " of the same version");
    }
    if (seen.test(header.index)) return Error(Errc::corrupt, name + " is there twice");
    seen.set(header.index);
  }
  return {};
}

}  // namespace aisfs::ec
