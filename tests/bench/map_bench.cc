// SPDX-License-Identifier: MIT
// What a change of a large cluster map costs a node: bytes on the wire, CPU, memory.
//
//   map_bench [--nodes N] [--buckets N] [--changes N] [--json]
//
// A gateway's map is changed, the node takes the update, as both do with what comes from the
// network: `delta` is the answer to map_update, `whole` the map in place of it. CPU is of the one
// thread, the mean of the changes: `node` decodes and installs, `save` keeps it on disk (in
// $TMPDIR), `gateway` finds out what has changed. Memory is the growth of the resident set of a
// process that has taken the map and all changes. Ends with 1 when something is above the bar: 1 ms
// a change, 64 MiB.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/wire/envelope.h"
#include "node/control/map_file.h"
#include "node/control/node_maps.h"

namespace aisfs::control {
namespace {

constexpr double kChangeBarMs = 1.0;
constexpr double kMemoryBarMiB = 64;

struct Options {
  std::size_t nodes = 1000, buckets = 10'000;
  int changes = 200;  // of each kind
  bool json = false;
};

double cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::string numbered(const char* prefix, std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%08zx", prefix, number);
  return text;
}

NodeInfo node_of(std::size_t i) {
  NodeInfo node;
  node.id = numbered(i < 3 ? "g" : "t", i * 2654435761U % 0xffffffffU);
  node.role = i < 3 ? NodeRole::kGateway : NodeRole::kTarget;
  node.incarnation = static_cast<std::uint32_t>(i + 1);
  const std::string host = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
  node.public_net = {host, 51080};
  node.s3_net = {host, 51081};
  node.control_net = {host, 51082};
  node.data_net = {host, 51083};
  node.host_id = to_hex(i) + to_hex(i + 1);
  return node;
}

Bucket bucket_of(std::size_t i) {
  Bucket bucket{.id = BucketId{(i + 1) << 32}, .name = native_bucket(numbered("dataset-", i))};
  bucket.owner = "user-" + std::to_string(i % 100);
  bucket.created_ns = 1'700'000'000'000'000'000;
  if (i % 10 == 0) bucket.props.s3["tagging"] = "team=vision&purpose=training";
  return bucket;
}

ClusterMap large_map(const Options& options) {
  ClusterMap map;
  map.uuid = "0d3c4a52-6a5e-4a53-8a5f-5d1f0c9f6a77";
  map.epoch = 1;
  for (std::size_t i = 0; i < options.nodes; ++i) {
    NodeInfo node = node_of(i);
    map.nodes[node.id] = std::move(node);
  }
  for (std::size_t i = 0; i < options.buckets; ++i) {
    Bucket bucket = bucket_of(i);
    map.buckets[bucket.name.uname()] = std::move(bucket);
  }
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string id = "user-" + std::to_string(i);
    map.users[id] = {.id = id, .keys = {{numbered("AK", i), std::string(80, 's')}}};
  }
  return map;
}

using Edit = std::function<void(ClusterMap&, std::size_t)>;

struct Kind {
  const char* name;
  Edit edit;
};

std::string target_at(const ClusterMap& map, std::size_t i) {
  std::vector<std::string> ids;
  for (const auto& [id, node] : map.nodes) {
    if (node.stores()) ids.push_back(id);
  }
  return ids.at(i % ids.size());
}

std::vector<std::string> targets(const ClusterMap& map) {
  std::vector<std::string> ids;
  for (const NodeInfo* node : map.active_targets()) ids.push_back(node->id);
  return ids;
}

std::vector<Kind> kinds(std::size_t buckets) {
  const auto some = [buckets](std::size_t i) { return bucket_of(i * 7919 % buckets).name.uname(); };
  return {
      {"bucket made",
       [](ClusterMap& map, std::size_t i) {
         Bucket bucket = bucket_of(1'000'000 + i * 31);
         map.buckets[bucket.name.uname()] = bucket;
       }},
      {"bucket's properties",
       [some](ClusterMap& map, std::size_t i) { ++map.buckets.at(some(i)).props.copies; }},
      {"bucket removed",
       [](ClusterMap& map, std::size_t i) {
         map.buckets.erase(bucket_of(1'000'000 + i * 31).name.uname());
       }},
      {"directory renamed",
       [](ClusterMap& map, std::size_t i) {
         if (map.mappings.size() > 100) map.mappings.erase(map.mappings.begin() + 50);
         map.mappings.push_back(
             {BucketId{1 << 16}, numbered("new/", i) + "/", numbered("old/", i) + "/"});
       }},
      {"node joins again",
       [](ClusterMap& map, std::size_t i) { ++map.nodes.at(target_at(map, i * 37)).incarnation; }},
      {"target announced",
       [](ClusterMap& map, std::size_t i) {
         map.placement.next = {{target_at(map, i), NodeState::kAway}};
         map.placement.since = map.epoch;
       }},
      {"names moved from all targets",
       [](ClusterMap& map, std::size_t i) {
         map.placement.next.clear();
         map.placement.past = {{map.epoch, targets(map)}};
         map.placement.hosts.clear();
         for (const std::string& id : map.placement.past[0].targets) {
           map.placement.hosts[id] = map.nodes.find(id)->second.host_id;
         }
         map.nodes.at(target_at(map, i)).state = NodeState::kAway;
       }},
  };
}

struct Row {
  std::string name;
  double delta_bytes = 0, node_ms = 0, save_ms = 0, gateway_ms = 0;  // the mean of the changes
  double worst_ms = 0;                                               // of the node
};

Result<Row> measure(
    const Kind& kind, int changes, NodeMapSource& gateway, NodeMapSource& node, MapFile& file) {
  Row row{.name = kind.name};
  for (int i = 0; i < changes; ++i) {
    ClusterMap next = *gateway.current();
    kind.edit(next, static_cast<std::size_t>(i));
    ++next.epoch;
    const double start = cpu_ms();
    CHECK_OK(gateway.install(std::move(next)));
    const double made = cpu_ms();
    const Epoch known = node.current()->epoch;
    const std::string bytes = wire::encode(gateway.update_since(known, MapNeed::kChanges));
    const double sent = cpu_ms();
    TRY(const auto update, wire::decode<wire::MapUpdate>(bytes));
    CHECK_OK(node.apply(update));
    const double applied = cpu_ms();
    CHECK_OK(file.save(*node.current(), node.update_since(file.saved(), MapNeed::kChanges).deltas));
    row.save_ms += cpu_ms() - applied;
    row.delta_bytes += static_cast<double>(bytes.size());
    row.gateway_ms += made - start;
    row.node_ms += applied - sent;
    row.worst_ms = std::max(row.worst_ms, applied - sent);
  }
  for (double* sum : {&row.delta_bytes, &row.node_ms, &row.save_ms, &row.gateway_ms})
    *sum /= changes;
  return row;
}

struct Whole {
  std::size_t bytes = 0;
  double encode_ms = 0, decode_ms = 0, install_ms = 0, save_ms = 0;
};

/// The best of some rounds.
Result<Whole> measure_whole(ClusterMap map, const std::string& file) {
  Whole best{.encode_ms = 1e9, .decode_ms = 1e9, .install_ms = 1e9, .save_ms = 1e9};
  NodeMapSource node;
  CHECK_OK(node.install(map));
  for (int round = 0; round < 7; ++round) {
    ++map.epoch;
    const double start = cpu_ms();
    const std::string bytes = wire::encode(map);
    const double encoded = cpu_ms();
    TRY(auto decoded, wire::decode<ClusterMap>(bytes));
    const double had = cpu_ms();
    CHECK_OK(node.install(std::move(decoded)));
    const double installed = cpu_ms();
    MapFile whole(file);
    CHECK_OK(whole.save(*node.current(), {}));
    const double saved = cpu_ms();
    best.bytes = bytes.size();
    best.encode_ms = std::min(best.encode_ms, encoded - start);
    best.decode_ms = std::min(best.decode_ms, had - encoded);
    best.install_ms = std::min(best.install_ms, installed - had);
    best.save_ms = std::min(best.save_ms, saved - installed);
  }
  return best;
}

/// Nanoseconds for a bucket by its name.
template <class Map>
double lookup_ns(const Map& map, const std::vector<std::string>& names) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    std::size_t found = 0;
    const double start = cpu_ms();
    for (const std::string& name : names) found += map.find(name) != map.end() ? 1 : 0;
    best = std::min(best, (cpu_ms() - start) * 1e6 / static_cast<double>(names.size()));
    if (found != names.size()) std::abort();
  }
  return best;
}

struct Lookups {
  double shared_ns = 0, std_ns = 0;
};

Lookups measure_lookups(const ClusterMap& map) {
  std::vector<std::string> names;
  std::map<std::string, Bucket> plain;
  for (const auto& [name, bucket] : map.buckets) {
    names.push_back(name);
    plain[name] = bucket;
  }
  std::shuffle(names.begin(), names.end(), std::mt19937(1));
  return {lookup_ns(map.buckets, names), lookup_ns(plain, names)};
}

/// In a process that has done nothing else: takes what lies in the folder as it comes from a
/// gateway.
int print_memory(const std::string& folder, int updates) {
  const auto bytes_of = [&](const std::string& file) {
    std::ifstream in(folder + "/" + file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const double before = resident_mib();
  NodeMapSource node;
  bool ok = node.install(*wire::decode<ClusterMap>(bytes_of("whole"))).ok();
  for (int i = 0; i < updates; ++i) {
    ok &= node.apply(*wire::decode<wire::MapUpdate>(bytes_of(std::to_string(i)))).ok();
  }
  std::printf("%.3f\n", resident_mib() - before);
  return ok ? 0 : 1;
}

/// Below 0 when it could not be found out.
double measure_memory(const std::string& folder, std::size_t updates) {
  const std::string command = "/proc/" + std::to_string(::getpid()) + "/exe --memory " + folder +
                              " " + std::to_string(updates);
  std::FILE* child = ::popen(command.c_str(), "r");
  double grown = -1;
  if (child == nullptr || std::fscanf(child, "%lf", &grown) != 1) grown = -1;
  if (child != nullptr && ::pclose(child) != 0) grown = -1;
  return grown;
}

Status write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  if (out << bytes && out.flush()) return {};
  return Error(Errc::io, "cannot write " + path);
}

struct Figures {
  Whole whole;
  std::vector<Row> rows;
  Lookups lookups;
  double memory_mib = 0;
};

Result<Figures> measure_all(const Options& options, const std::string& folder) {
  Figures figures;
  const ClusterMap map = large_map(options);
  const std::string whole = wire::encode(map);
  TRY(figures.whole, measure_whole(map, folder + "/whole.map"));
  figures.lookups = measure_lookups(map);
  NodeMapSource gateway, node;
  MapFile file(folder + "/cluster.map");
  CHECK_OK(gateway.install(map));
  CHECK_OK(node.apply(gateway.update_since(0)));
  CHECK_OK(file.save(*node.current(), {}));
  for (const Kind& kind : kinds(options.buckets)) {
    // The first change finds out the hash of the whole map, once in the life of a node.
    if (figures.rows.empty()) {
      TRY([[maybe_unused]] const auto first, measure(kind, 1, gateway, node, file));
    }
    TRY(Row row, measure(kind, options.changes, gateway, node, file));
    figures.rows.push_back(std::move(row));
  }
  CHECK_OK(write_file(folder + "/whole", whole));
  NodeMapSource changed;
  CHECK_OK(changed.install(map));
  std::size_t updates = 0;
  for (const Kind& kind : kinds(options.buckets)) {
    for (int i = 0; i < options.changes; ++i) {
      const Epoch known = changed.current()->epoch;
      ClusterMap next = *changed.current();
      kind.edit(next, static_cast<std::size_t>(i));
      ++next.epoch;
      CHECK_OK(changed.install(std::move(next)));
      const auto update = changed.update_since(known, MapNeed::kChanges);
      CHECK_OK(write_file(folder + "/" + std::to_string(updates++), wire::encode(update)));
    }
  }
  figures.memory_mib = measure_memory(folder, updates);
  return figures;
}

void print_table(const Options& options, const Figures& f) {
  std::printf("map of %zu nodes, %zu buckets; %d changes of each kind\n", options.nodes,
              options.buckets, options.changes);
  std::printf("%-30s %12s %9s %9s %9s %9s\n", "", "bytes", "node ms", "worst ms", "save ms",
              "gateway ms");
  std::printf("%-30s %12zu %9.3f %9s %9.3f %9.3f\n", "whole map", f.whole.bytes,
              f.whole.decode_ms + f.whole.install_ms, "", f.whole.save_ms, f.whole.encode_ms);
  for (const Row& row : f.rows) {
    std::printf("%-30s %12.0f %9.3f %9.3f %9.3f %9.3f\n", row.name.c_str(), row.delta_bytes,
                row.node_ms, row.worst_ms, row.save_ms, row.gateway_ms);
  }
  std::printf("a bucket by its name: %.0f ns, in a std::map %.0f ns\n", f.lookups.shared_ns,
              f.lookups.std_ns);
  std::printf("memory of a node: %.1f MiB\n", f.memory_mib);
}

void print_json(const Options& options, const Figures& f) {
  std::printf("{\"nodes\": %zu, \"buckets\": %zu, \"memory_mib\": %.2f,\n", options.nodes,
              options.buckets, f.memory_mib);
  std::printf(" \"lookup_ns\": {\"shared\": %.1f, \"std_map\": %.1f},\n", f.lookups.shared_ns,
              f.lookups.std_ns);
  std::printf(
      " \"whole\": {\"bytes\": %zu, \"decode_ms\": %.4f, \"install_ms\": %.4f, "
      "\"save_ms\": %.4f, \"encode_ms\": %.4f},\n \"changes\": [",
      f.whole.bytes, f.whole.decode_ms, f.whole.install_ms, f.whole.save_ms, f.whole.encode_ms);
  const char* between = "\n";
  for (const Row& row : f.rows) {
    std::printf(
        "%s  {\"kind\": \"%s\", \"bytes\": %.0f, \"node_ms\": %.4f, \"worst_ms\": %.4f, "
        "\"save_ms\": %.4f, \"gateway_ms\": %.4f}",
        std::exchange(between, ",\n"), row.name.c_str(), row.delta_bytes, row.node_ms, row.worst_ms,
        row.save_ms, row.gateway_ms);
  }
  std::printf("\n ]}\n");
}

bool within_bars(const Figures& f) {
  const bool memory = f.memory_mib >= 0 && f.memory_mib <= kMemoryBarMiB;
  return memory && std::all_of(f.rows.begin(), f.rows.end(), [](const Row& row) {
           return row.node_ms + row.save_ms <= kChangeBarMs;
         });
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (i + 1 == argc) return std::nullopt;
    const auto value = parse_u64(argv[++i]);
    if (!value || *value == 0 || *value > 1'000'000) return std::nullopt;
    if (name == "--nodes") {
      options.nodes = *value;
    } else if (name == "--buckets") {
      options.buckets = *value;
    } else if (name == "--changes") {
      options.changes = static_cast<int>(*value);
    } else {
      return std::nullopt;
    }
  }
  return options.nodes < 5 ? std::nullopt : std::optional(options);
}

int run(int argc, char** argv) {
  log::set_level(log::Level::kWarn);
  if (argc == 4 && std::string_view(argv[1]) == "--memory") {
    return print_memory(argv[2], std::atoi(argv[3]));
  }
  const auto options = parse(argc, argv);
  if (!options) {
    std::fprintf(stderr, "map_bench [--nodes N] [--buckets N] [--changes N] [--json]\n");
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "map_bench.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 2;
  const auto figures = measure_all(*options, folder);
  std::filesystem::remove_all(folder);
  if (!figures) {
    std::fprintf(stderr, "map_bench: %s\n", figures.error().what().c_str());
    return 2;
  }
  options->json ? print_json(*options, *figures) : print_table(*options, *figures);
  return within_bars(*figures) ? 0 : 1;
}

}  // namespace
}  // namespace aisfs::control

int main(int argc, char** argv) { return aisfs::control::run(argc, argv); }
