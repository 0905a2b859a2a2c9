// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "common/async/clock.h"

namespace aisfs::tests::scale {

using Arguments = std::vector<std::string>;
using Environment =
    std::vector<std::pair<std::string, std::string>>;  // beside our own; "" takes one away

/// Another program, until it ends or the object does (kill -9). Its output goes to a file.
class Program {
 public:
  Program(const Arguments& arguments, const Environment& environment, std::string output);
  ~Program() { kill(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Its exit status, 128 + signal when killed, -1 when it is not over by then.
  int wait(Duration limit);
  void signal(int signal);
  void kill();
  std::string output() const;

 private:
  const std::string output_;
  pid_t pid_ = -1;
};

/// Whether PATH has it.
bool is_installed(const std::string& program);
/// A program of the build.
std::string built(const std::string& program);
/// "" when there is no such file.
std::string text_of(const std::string& file);

}  // namespace aisfs::tests::scale
