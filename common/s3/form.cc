// SPDX-License-Identifier: MIT
#include "common/s3/form.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace aisfs::s3 {
namespace {

constexpr std::size_t kRefillBytes = 64 << 10;
constexpr std::size_t kHeadBytesMax = 8 << 10;
constexpr std::size_t kBoundaryBytesMax = 70;  // RFC 2046 5.1.1

Error malformed(std::string_view what) {
  return Error(Errc::invalid_argument, "multipart/form-data: " + std::string(what));
}

/// The value of `name=...` or `name="..."` among the parameters of a header.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at != header.npos) {
    std::string_view rest = trim(header.substr(at + 1));
    const auto equals = rest.find('=');
    if (equals == rest.npos) return std::nullopt;
    const std::string_view key = trim(rest.substr(0, equals));
    rest = rest.substr(equals + 1);
    std::string value;
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        // Browsers escape a quote either way; a path of Windows keeps its backslashes.
        if (rest[end] == '\\' && end + 1 < rest.size() && rest[end + 1] == '"') ++end;
        value += rest[end];
      }
      if (end == rest.size()) return std::nullopt;
      end = rest.find(';', end);
    } else {
      end = rest.find(';');
      value = trim(rest.substr(0, end));
    }
    if (iequals(key, name)) return value;
    if (end == rest.npos) return std::nullopt;
    at = static_cast<std::size_t>(rest.data() - header.data()) + end;
  }
  return std::nullopt;
}

Result<FormPart> parse_head(std::string_view head) {
  FormPart part;
  bool disposed = false;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head = end == head.npos ? std::string_view{} : head.substr(end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos) return malformed("a header without a colon");
    const std::string_view name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    if (iequals(name, "content-type")) part.content_type = value;
    if (!iequals(name, "content-disposition")) continue;
    if (!iequals(trim(value.substr(0, value.find(';'))), "form-data")) {
      return malformed("a part that is not form-data");
    }
    const auto field = parameter(value, "name");
    if (!field || disposed) return malformed("a part without a name of its own");
    disposed = true;
    part.name = *field;
    part.filename = parameter(value, "filename");
  }
  if (!disposed) return malformed("a part without Content-Disposition");
  return part;
}

}  // namespace

std::optional<std::string> form_boundary(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (!iequals(type, "multipart/form-data")) return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytesMax) return std::nullopt;
  const bool plain =
      std::all_of(boundary->begin(), boundary->end(), [](char c) { return c >= ' ' && c < 127; });
  return plain && boundary->back() != ' ' ? boundary : std::nullopt;
}

FormReader::FormReader(BodySource& source, std::string_view boundary)
    : source_(source), delimiter_("\r\n--" + std::string(boundary)), window_("\r\n") {}

Task<Status> FormReader::refill() {
  const std::size_t before = window_.size();
  window_.resize(before + kRefillBytes);
  const MutableBytes space(reinterpret_cast<std::byte*>(window_.data()) + before, kRefillBytes);
  auto got = co_await source_.read(space);
  window_.resize(before + (got ? *got : 0));
  if (!got) co_return std::move(got).error();
  if (*got == 0) co_return malformed("it is cut off");
  co_return Status{};
}

Task<Result<std::size_t>> FormReader::read(MutableBytes into) {
  for (;;) {
    const auto end = window_.find(delimiter_);
    // What may be the beginning of a delimiter stays in the window.
    const std::size_t kept = std::min(window_.size(), delimiter_.size() - 1);
    const std::size_t ready = end != window_.npos ? end : window_.size() - kept;
    if (ready > 0) {
      const std::size_t n = std::min(ready, into.size());
      std::copy_n(reinterpret_cast<const std::byte*>(window_.data()), n, into.data());
      window_.erase(0, n);
      co_return n;
    }
    if (end != window_.npos) co_return std::size_t{0};
    CO_CHECK_OK(co_await refill());
  }
}

Task<Status> FormReader::skip_part() {
  std::array<std::byte, 4096> scrap;
  for (;;) {
    CO_TRY(const std::size_t n, co_await read(scrap));
    if (n == 0) co_return Status{};
  }
}

Task<Result<std::string>> FormReader::read_head() {
  for (;;) {
    const auto end = window_.find("\r\n\r\n");
    if (end != window_.npos && end <= kHeadBytesMax) {
      std::string head = window_.substr(2, end > 2 ? end - 2 : 0);
      window_.erase(0, end + 4);
      co_return head;
    }
    if (window_.size() > kHeadBytesMax) co_return malformed("a head over 8 KiB");
    CO_CHECK_OK(co_await refill());
  }
}

Task<Result<std::optional<FormPart>>> FormReader::next() {
  CO_CHECK_OK(co_await skip_part());
  while (window_.size() < delimiter_.size() + 2) CO_CHECK_OK(co_await refill());
  const std::string_view behind = std::string_view(window_).substr(delimiter_.size(), 2);
  if (behind == "--") co_return std::optional<FormPart>();
  if (behind != "\r\n") co_return malformed("a boundary in the middle of a line");
  window_.erase(0, delimiter_.size());
  CO_TRY(const std::string head, co_await read_head());
  CO_TRY(FormPart part, parse_head(head));
  co_return std::optional(std::move(part));
}

}  // namespace aisfs::s3
