// SPDX-License-Identifier: MIT
// Every setting of aisnode; the file, the flags and man/aisnode.conf.5 come from here.
#pragma once
#include "common/base/bytes.h"
#include "common/config/param.h"
#include "common/model/cluster_map.h"

namespace aisfs::config {
enum class Role : std::uint8_t { kGateway, kTarget, kAll };
template <>
struct Names<Role> {
  static constexpr std::string_view kNames[] = {"gateway", "target", "all"};
};
}  // namespace aisfs::config

namespace aisfs::node {

using config::Apply;
using config::Param;

struct NetConfig : config::Section {
  using Section::Section;
  Param<std::string> host{this, "host", "127.0.0.1", Apply::kRestart,
                          "Address that all listeners bind and that other nodes and clients use."};
  Param<std::int64_t> public_port{this, "public_port", 0, Apply::kRestart,
                                  "Port of the native API for clients; 0 picks a free one.",
                                  config::in_range<std::int64_t{0}, std::int64_t{65535}>()};
  Param<std::string> public_certificate{
      this, "public_certificate", "", Apply::kRestart,
      "PEM file with the certificate chain of the public listener, which speaks TLS then and "
      "nothing else. It names net.host; clients say https:// and go from node to node, so all "
      "nodes of a cluster have one or none has."};
  Param<std::string> public_certificate_key{this, "public_certificate_key", "", Apply::kRestart,
                                            "PEM file with the key of public_certificate."};
  Param<std::int64_t> s3_port{this, "s3_port", 0, Apply::kRestart,
                              "Port of the S3 API at the root of a URL; 0 picks a free one.",
                              config::in_range<std::int64_t{0}, std::int64_t{65535}>()};
  Param<std::string> s3_certificate{this, "s3_certificate", "", Apply::kRestart,
                                    "PEM file with the certificate chain of the S3 listener, which "
                                    "speaks TLS then and nothing else."};
  Param<std::string> s3_certificate_key{this, "s3_certificate_key", "", Apply::kRestart,
                                        "PEM file with the key of s3_certificate."};
  Param<std::int64_t> control_port{this, "control_port", 0, Apply::kRestart,
                                   "Port for control messages between nodes; 0 picks a free one.",
                                   config::in_range<std::int64_t{0}, std::int64_t{65535}>()};
  Param<std::int64_t> data_port{this, "data_port", 0, Apply::kRestart,
                                "Port for objects between nodes; 0 picks a free one.",
                                config::in_range<std::int64_t{0}, std::int64_t{65535}>()};
  Param<std::string> internal_certificate{
      this, "internal_certificate", "", Apply::kRestart,
      "PEM file with the certificate chain of the control and data listeners, which speak TLS "
      "then and nothing else. It names net.host; all nodes of a cluster must have one, or none."};
  Param<std::string> internal_certificate_key{this, "internal_certificate_key", "", Apply::kRestart,
                                              "PEM file with the key of internal_certificate."};
  Param<std::string> internal_ca{this, "internal_ca", "", Apply::kRestart,
                                 "PEM file with the authorities by which the node checks the "
                                 "internal_certificate of other nodes; needed with it."};
};

struct EtcdConfig : config::Section {
  using Section::Section;
  Param<config::StringList> endpoints{
      this,
      "endpoints",
      {},
      Apply::kRestart,
      "Client addresses of an etcd cluster, host:port, that holds the map of this one. Every "
      "gateway "
      "is given the same; targets need none. Without it the first gateway holds the map itself."};
  Param<std::string> prefix{this, "prefix", "", Apply::kRestart,
                            "Put before every key in etcd, so that clusters can share one."};
  Param<std::string> ca{this, "ca", "", Apply::kRestart,
                        "PEM file with the authorities by which the gateway checks the members' "
                        "certificates; with it etcd is spoken to over TLS."};
  Param<std::string> certificate{this, "certificate", "", Apply::kRestart,
                                 "PEM file with the certificate that the gateway shows to etcd."};
  Param<std::string> certificate_key{this, "certificate_key", "", Apply::kRestart,
                                     "PEM file with the key of etcd.certificate."};
};

struct LogConfig : config::Section {
  using Section::Section;
  Param<std::string> level{this, "level", "info", Apply::kRestart,
                           "Least severe event that is logged: debug, info, warn or error."};
  Param<std::string> file{this, "file", "", Apply::kRestart, "Log file; stderr when empty."};
};

struct StoreConfig : config::Section {
  using Section::Section;
  Param<std::int64_t> threads{
      this,
      "threads",
      4,
      Apply::kRestart,
      "Threads for the disk calls of one mountpath. It has two more for what "
      "nobody waits for.",
      config::in_range<std::int64_t{1}, std::int64_t{64}>()};
  Param<std::int64_t> open_files{this, "open_files", 4096, Apply::kRestart,
                                 "Descriptors kept open for objects that are read often; objects up to "
                                 "4 KiB are then in memory, too.",
                                 config::in_range<std::int64_t{16}, std::int64_t{1000000}>()};
  Param<config::Bytes> reserve{this, "reserve", config::Bytes{256_MiB}, Apply::kRestart,
                               "Free space below which a mountpath takes no more objects."};
  Param<config::Bytes> scrub_rate{this,
                                  "scrub_rate",
                                  config::Bytes{64_MiB},
                                  Apply::kRestart,
                                  "Bytes a second that a target reads at most when it looks for "
                                  "damage on its disks (ais storage scrub).",
                                  config::in_range<config::Bytes{64_KiB}, config::Bytes{64_GiB}>()};
  Param<config::Duration> scrub_interval{
      this,
      "scrub_interval",
      std::chrono::hours(14 * 24),
      Apply::kRestart,
      "From the end of one look at all disks to the begin of the next; 0: none begins by itself.",
      config::in_range_ns<0, 315'360'000'000'000'000>()};
  Param<config::Duration> tombstone_life{
      this,
      "tombstone_life",
      std::chrono::hours(24),
      Apply::kRestart,
      "For so long at least it is remembered that an object was deleted; longer while a target or "
      "a "
      "disk of the cluster is away.",
      config::in_range_ns<1'000'000'000, 315'360'000'000'000'000>()};
  Param<std::int64_t> high_watermark{
      this,
      "high_watermark",
      90,
      Apply::kRestart,
      "Percentage of a mountpath in use that is reported: in the log, "
      "by ais storage show and by ais show cluster.",
      config::in_range<std::int64_t{1}, std::int64_t{100}>()};
  Param<std::int64_t> out_of_space{
      this,
      "out_of_space",
      100,
      Apply::kRestart,
      "Percentage of a mountpath in use from which it takes no more "
      "objects, should that leave more free than reserve. What is there "
      "can be read and removed.",
      config::in_range<std::int64_t{1}, std::int64_t{100}>()};
};

struct NodeConfig : config::Section {
  Param<config::Role> role{this, "role", config::Role::kAll, Apply::kRestart,
                           "gateway, target or all."};
  Param<std::string> node_id{this, "node_id", "", Apply::kRestart,
                             "Id of the node at its first start; generated when empty."};
  Param<std::string> data_dir{this, "data_dir", "", Apply::kRestart,
                              "Folder for the node's own state."};
  Param<config::StringList> mountpaths{this, "mountpaths", {}, Apply::kRestart,
                                       "Folders in which a target stores objects."};
  Param<config::StringList> join{this, "join", {}, Apply::kRestart,
                                 "Control addresses of gateways, host:port."};
  Param<std::string> cluster_key{this, "cluster_key", "", Apply::kRestart,
                                 "File with the cluster's key, mode 0600; "
                                 "<data_dir>/cluster.key when empty."};
  Param<bool> bootstrap{this, "bootstrap", false, Apply::kRestart,
                        "Make a new cluster in this gateway's store, or in etcd, if it has none."};
  Param<std::int64_t> threads{this,
                              "threads",
                              2,
                              Apply::kRestart,
                              "Threads for network work. A target has a quarter as many more for "
                              "what nobody waits for.",
                              config::in_range<std::int64_t{1}, std::int64_t{256}>()};
  Param<std::string> ready_file{this, "ready_file", "", Apply::kRestart,
                                "Written with the node's addresses once it serves."};
  Param<std::string> pid_file{this, "pid_file", "", Apply::kRestart,
                              "Written with the process id."};
  Param<config::Duration> join_timeout{this, "join_timeout", std::chrono::seconds(30),
                                       Apply::kRestart, "How long a start waits for a gateway.",
                                       config::in_range_ns<1'000'000'000, 3'600'000'000'000>()};
  Param<config::Duration> stop_grace{this, "stop_grace", std::chrono::seconds(10), Apply::kRestart,
                                     "How long a stop waits for requests in flight.",
                                     config::in_range_ns<0, 600'000'000'000>()};
  NetConfig net{this, "net"};
  EtcdConfig etcd{this, "etcd"};
  StoreConfig store{this, "store"};
  LogConfig log{this, "log"};
};

}  // namespace aisfs::node
