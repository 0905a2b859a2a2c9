// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/local_file.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

struct CatArguments {
  std::vector<std::string> objects;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Piece by piece to the output, so that an object may be larger than memory.
Task<Status> pour(Output& out, BodySource& body) {
  std::vector<std::byte> buffer(1_MiB);
  while (true) {
    CO_TRY(const std::size_t n, co_await body.read(buffer));
    if (n == 0) co_return Status{};
    out.raw(as_text({buffer.data(), n}));
  }
}

Task<Status> run_cat(Session& s, const CatArguments& arguments) {
  GetOptions options;
  options.range.offset = arguments.offset;
  if (arguments.length != 0) options.range.length = arguments.length;
  for (const std::string& text : arguments.objects) {
    CO_TRY(const Location location, parse_object(text));
    ObjectName name = location.object();
    CO_TRY(ObjectStream stream, co_await s.objects().get(s.context(), name, options));
    CO_CHECK_OK(co_await pour(s.out, *stream.body));
  }
  co_return Status{};
}

}  // namespace

void add_cat(Command& root) {
  auto a = std::make_shared<CatArguments>();
  Command& cat = root.sub("cat", "Write objects to standard output");
  cat.words("object", a->objects, Names::kObject, "BUCKET/NAME...");
  cat.number("--offset", a->offset, "BYTES", "Begin here");
  cat.number("--length", a->length, "BYTES", "At most so much of each; 0: all");
  cat.examples("  ais cat demo/README.md\n  ais cat demo/a.tar --offset 512 --length 512 | xxd");
  cat.action([a](Session& s) { return run_cat(s, *a); });
}

}  // namespace aisfs::cli
