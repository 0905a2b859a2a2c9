// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/programs.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/text.h"

namespace aisfs::tests::scale {
namespace {

constexpr auto kLook = std::chrono::milliseconds(10);

}  // namespace

Program::Program(const Arguments& arguments, const Environment& environment, std::string output)
    : output_(std::move(output)) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  for (const auto& [name, value] : environment) {
    std::erase_if(variables, [&](const std::string& v) { return v.starts_with(name + "="); });
    if (!value.empty()) variables.push_back(name + "=" + value);
  }
  std::vector<char*> argv, envp;
  for (const std::string& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
  for (std::string& one : variables) envp.push_back(one.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left behind by a test that crashes
  ::setpgid(0, 0);                     // scripts start others
  const int log = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::execvpe(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

int Program::wait(Duration limit) {
  const TimePoint until = std::chrono::steady_clock::now() + limit;
  for (int status = 0; pid_ > 0;) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (std::chrono::steady_clock::now() >= until) return -1;
    std::this_thread::sleep_for(kLook);
  }
  return 0;
}

void Program::signal(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
}

void Program::kill() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Program::output() const { return text_of(output_); }

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path == nullptr ? "" : path, ':')) {
    if (::access((std::string(folder) + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string built(const std::string& program) {
  const char* bin = std::getenv("AISFS_BIN");
  return std::string(bin != nullptr ? bin : AISFS_BUILD_BIN) + "/" + program;
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace aisfs::tests::scale
