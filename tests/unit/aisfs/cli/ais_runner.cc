// SPDX-License-Identifier: MIT
#include "tests/unit/aisfs/cli/ais_runner.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace aisfs::cli {
namespace {

class FakeLink final : public Link {
 public:
  FakeLink(tests::FakeCluster& cluster, tests::FakeJobs& jobs) : cluster_(cluster), jobs_(jobs) {}
  ObjectApi& objects() override { return cluster_; }
  AdminApi& admin() override { return cluster_; }
  MapSource& map() override { return cluster_; }
  JobsApi& jobs() override { return jobs_; }

 private:
  tests::FakeCluster& cluster_;
  tests::FakeJobs& jobs_;
};

}  // namespace

AisRunner::AisRunner() {
  char path[] = "/tmp/aisfs-cli-XXXXXX";
  folder = ::mkdtemp(path);
  runtime_.start();
}

AisRunner::~AisRunner() {
  runtime_.stop();
  std::filesystem::remove_all(folder);
}

void AisRunner::set_terminal(std::size_t columns) {
  output_.err_is_terminal = true;
  output_.columns = columns;
}

Task<Result<std::unique_ptr<Link>>> AisRunner::connect() {
  if (refusals_ > 0) {
    --refusals_;
    co_return Error(refusal_, "no cluster yet");
  }
  std::unique_ptr<Link> link = std::make_unique<FakeLink>(cluster, jobs);
  co_return link;
}

AisResult AisRunner::run(std::vector<std::string> arguments) {
  AisResult result;
  Output out(
      output_, [&](std::string_view bytes) { result.out += bytes; },
      [&](std::string_view bytes) { result.err += bytes; });
  const Environment nothing = [](const std::string&) { return std::string(); };
  const ReadLine read_line = [this]() -> std::optional<std::string> {
    if (typed_.empty()) return std::nullopt;
    std::string line = typed_.front();
    typed_.pop_front();
    return line;
  };
  result.status = run_ais(
      std::move(arguments), runtime_, out, nothing, [this](GlobalOptions) { return connect(); },
      read_line);
  return result;
}

std::string AisRunner::write_file(const std::string& name, const std::string& text) {
  const std::filesystem::path path = folder + "/" + name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
  return path.string();
}

std::string AisRunner::read_file(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(folder + "/" + name).rdbuf();
  return text.str();
}

}  // namespace aisfs::cli
