// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>

#include "common/async/byte_stream.h"

namespace aisfs::s3 {

/// The boundary of a multipart/form-data content type; nullopt for another type or a boundary that
/// RFC 2046 does not allow.
std::optional<std::string> form_boundary(std::string_view content_type);

struct FormPart {
  std::string name;
  std::optional<std::string> filename;
  std::string content_type;  // "" for none
};

/// Reads multipart/form-data (RFC 7578) from front to end: next(), then the part's bytes by body().
/// Keeps a bounded window, so a file of any size streams through. One reader, one executor.
class FormReader {
 public:
  /// `source` outlives it.
  FormReader(BodySource& source, std::string_view boundary);

  /// The next part, skipping what was not read of the one before; nullopt behind the last.
  /// invalid_argument for what is no form, is cut off, or has a head over 8 KiB.
  Task<Result<std::optional<FormPart>>> next();

  /// The bytes of the current part, up to the next boundary.
  BodySource& body() { return part_; }

 private:
  class Part final : public BodySource {
   public:
    explicit Part(FormReader& form) : form_(form) {}
    Task<Result<std::size_t>> read(MutableBytes into) override { return form_.read(into); }

   private:
    FormReader& form_;
  };

  Task<Result<std::size_t>> read(MutableBytes into);
  /// More bytes at the end of the window; invalid_argument when there are none.
  Task<Status> refill();
  Task<Status> skip_part();
  Task<Result<std::string>> read_head();

  BodySource& source_;
  std::string delimiter_;  // with the line break before it
  std::string window_;
  Part part_{*this};
};

}  // namespace aisfs::s3
