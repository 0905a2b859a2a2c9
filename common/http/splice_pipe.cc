// SPDX-License-Identifier: MIT
#include "common/http/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

namespace aisfs::http {
namespace {

constexpr std::size_t kKeptMax = 16;

std::vector<SplicePipe>& kept() {
  thread_local std::vector<SplicePipe> pipes;
  return pipes;
}

}  // namespace

SplicePipe SplicePipe::take() {
  if (!kept().empty()) {
    SplicePipe pipe = std::move(kept().back());
    kept().pop_back();
    return pipe;
  }
  SplicePipe pipe;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return pipe;
  pipe.out_ = UniqueFd(ends[0]);
  pipe.in_ = UniqueFd(ends[1]);
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kBytes));
  return pipe;
}

void SplicePipe::give_back() {
  if (kept().size() < kKeptMax) kept().push_back(std::move(*this));
}

}  // namespace aisfs::http
