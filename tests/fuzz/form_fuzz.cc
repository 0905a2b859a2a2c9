// SPDX-License-Identifier: MIT
// An HTML form: the first byte is the size of the pieces it arrives in. How the network cuts it makes
// no difference, and a form put together from what was read is read the same again.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/s3/form.h"
#include "tests/fuzz/pieces.h"

namespace aisfs::s3 {
namespace {

constexpr std::string_view kBoundary = "xyz";

using fuzz::Pieces;

struct Field {
  FormPart head;
  std::string value;
};
struct Outcome {
  bool ok = false;
  std::vector<Field> fields;
};

Task<void> read_form(std::string_view text, std::size_t piece, Outcome& out) {
  Pieces pieces(text, piece);
  FormReader reader(pieces, kBoundary);
  for (;;) {
    auto part = co_await reader.next();
    if (!part) co_return;
    if (!*part) break;
    auto value = co_await read_all(reader.body(), text.size());
    if (!value) co_return;
    out.fields.push_back({**part, *std::move(value)});
  }
  out.ok = true;
}

Outcome read(std::string_view text, std::size_t piece) {
  asio::io_context io;
  Outcome out;
  asio::co_spawn(io, read_form(text, piece, out), asio::detached);
  io.run();
  return out;
}

void expect_same(const Outcome& a, const Outcome& b) {
  AISFS_ASSERT(a.ok == b.ok);
  AISFS_ASSERT(a.fields.size() == b.fields.size());
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    AISFS_ASSERT(a.fields[i].head.name == b.fields[i].head.name);
    AISFS_ASSERT(a.fields[i].value == b.fields[i].value);
  }
}

}  // namespace
}  // namespace aisfs::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aisfs::s3;
  if (size == 0 || size > 64 << 10) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(text, text.size() + 1);
  expect_same(whole, read(text, 1 + data[0] % 100));
  std::string again;
  for (const Field& field : whole.fields) {
    // Quotes and line breaks of a name are written in other ways than they are read.
    if (field.head.name.find_first_of("\"\\\r\n") != std::string::npos) return 0;
    again += "--xyz\r\nContent-Disposition: form-data; name=\"" + field.head.name + "\"\r\n\r\n" +
             field.value + "\r\n";
  }
  if (whole.ok) expect_same(whole, read(again + "--xyz--\r\n", 7));
  return 0;
}
