// SPDX-License-Identifier: MIT
#include "aisfs/mount/mount_args.h"

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "common/base/text.h"

namespace aisfs::mount {
namespace {

struct Option {
  std::string name, value;
  bool has_value = false;
};

Error bad_option(const Option& option, std::string_view takes) {
  return Error(Errc::invalid_argument,
               "-o " + option.name + (option.has_value ? "=" + option.value : "") + ": takes " +
                   std::string(takes));
}

Status parse_octal(const Option& option, std::uint32_t& out) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(option.value.c_str(), &end, 8);
  if (option.value.empty() || *end != '\0' || value > 07777) {
    return bad_option(option, "an octal mode such as 0644");
  }
  out = static_cast<std::uint32_t>(value);
  return {};
}

Status parse_number(const Option& option, std::uint64_t max, std::uint64_t& out) {
  const auto value = parse_u64(option.value);
  if (!value || *value > max) return bad_option(option, "a number up to " + std::to_string(max));
  out = *value;
  return {};
}

Status parse_id(const Option& option, std::uint32_t& out) {
  std::uint64_t id = 0;
  CHECK_OK(parse_number(option, 0xfffffffe, id));
  out = static_cast<std::uint32_t>(id);
  return {};
}

/// The background process works in "/".
Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string cwd(4096, '\0');
  if (::getcwd(cwd.data(), cwd.size()) == nullptr) return errno_error("current directory");
  cwd.resize(cwd.find('\0'));
  return cwd + "/" + path;
}

bool goes_to_kernel(const std::string& name) {
  static const std::set<std::string> kKernel = {"allow_other", "auto_unmount", "ro",     "nodev",
                                                "nosuid",      "noexec",       "noatime", "dev",
                                                "suid",        "exec",         "sync",   "dirsync",
                                                "default_permissions"};
  return kKernel.contains(name);
}

/// What mount(8) and fstab add for themselves.
bool is_for_mount_only(const std::string& name) {
  static const std::set<std::string> kIgnored = {"rw",   "defaults", "_netdev", "auto",    "noauto",
                                                 "user", "users",    "nofail",  "relatime"};
  return kIgnored.contains(name) || name.starts_with("x-") || name == "comment";
}

Status apply_attr_option(const Option& option, fs::AttrDefaults& defaults, bool& known) {
  if (option.name == "uid") return parse_id(option, defaults.uid);
  if (option.name == "gid") return parse_id(option, defaults.gid);
  if (option.name == "file_mode") return parse_octal(option, defaults.file_mode);
  if (option.name == "dir_mode") return parse_octal(option, defaults.dir_mode);
  if (option.name == "umask") {
    std::uint32_t umask = 0;
    CHECK_OK(parse_octal(option, umask));
    defaults.file_mode = 0666 & ~umask;
    defaults.dir_mode = 0777 & ~umask;
    return {};
  }
  known = false;
  return {};
}

Status apply_tuning_option(const Option& option, MountArgs& args, bool& known) {
  std::uint64_t n = 0;
  if (option.name == "timeout") {
    CHECK_OK(parse_number(option, 3600, n));
    args.options.op_timeout = std::chrono::seconds(std::max<std::uint64_t>(n, 1));
  } else if (option.name == "delegate_ms") {
    CHECK_OK(parse_number(option, 3'600'000, n));
    args.options.delegate_again = std::chrono::milliseconds(n);
  } else if (option.name == "spin_us") {
    CHECK_OK(parse_number(option, 10'000, n));
    args.options.spin = std::chrono::microseconds(n);
  } else if (option.name == "no_delegations") {
    args.options.delegations = false;
  } else if (option.name == "same_call_ms") {
    CHECK_OK(parse_number(option, 1000, n));
    args.options.same_call = std::chrono::milliseconds(n);
  } else if (option.name == "await_name_ms") {
    CHECK_OK(parse_number(option, 1000, n));
    args.options.await_name = std::chrono::milliseconds(n);
  } else if (option.name == "read_memory_mib") {
    CHECK_OK(parse_number(option, 1 << 20, n));
    args.options.read_memory = n * 1_MiB;
  } else if (option.name == "ca") {
    TRY(args.ca_file, absolute(option.value));
  } else if (option.name == "cache_dir") {
    TRY(args.options.cache_dir, absolute(option.value));
  } else if (option.name == "log") {
    TRY(args.log_file, absolute(option.value));
  } else if (option.name == "log_level") {
    args.log_level = option.value;
  } else {
    known = false;
  }
  return {};
}

Status apply_option(const Option& option, MountArgs& args) {
  if (is_for_mount_only(option.name)) return {};
  if (goes_to_kernel(option.name)) {
    if (option.name == "ro") args.options.read_only = true;
    args.kernel_options.push_back(option.name);
    return {};
  }
  if (option.name == "access_key") {
    args.credentials.access_key = option.value;
    return {};
  }
  if (option.name == "secret_key") {
    args.credentials.secret_key = option.value;
    return {};
  }
  if (option.name == "keys") {
    TRY(args.credentials, read_keys_file(option.value));
    return {};
  }
  bool known = true;
  CHECK_OK(apply_attr_option(option, args.options.defaults, known));
  if (known) return {};
  known = true;
  CHECK_OK(apply_tuning_option(option, args, known));
  if (known) return {};
  return Error(Errc::invalid_argument, "-o " + option.name + ": no such option (see aisfs(1))");
}

Status apply_options(std::string_view list, MountArgs& args) {
  for (const std::string_view text : split(list, ',')) {
    if (text.empty()) continue;
    const std::size_t equals = text.find('=');
    Option option{.name = std::string(text.substr(0, equals))};
    option.has_value = equals != text.npos;
    if (option.has_value) option.value = std::string(text.substr(equals + 1));
    CHECK_OK(apply_option(option, args));
  }
  return {};
}

Status take_keys(MountArgs& args) {
  Credentials& keys = args.credentials;
  if (keys.access_key.empty() && keys.secret_key.empty()) {
    const char* access = std::getenv("AWS_ACCESS_KEY_ID");
    const char* secret = std::getenv("AWS_SECRET_ACCESS_KEY");
    if (access != nullptr) keys.access_key = access;
    if (secret != nullptr) keys.secret_key = secret;
  }
  if (!keys.access_key.empty() && !keys.secret_key.empty()) return {};
  return Error(Errc::unauthenticated,
               "no keys: give -o keys=FILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
               "environment");
}

Status take_endpoints(std::string_view list, MountArgs& args) {
  TRY(args.endpoints, GivenEndpoints::parse(list));
  if (args.endpoints.tls || args.ca_file.empty()) return {};
  return Error(Errc::invalid_argument, "-o ca= is for https://, not for " + std::string(list));
}

/// Whether the kernel has to check modes and owners. Root alone passes every check, and each one
/// would ask for the attributes of each directory on the way.
bool needs_permission_checks(const std::vector<std::string>& options) {
  return ::geteuid() != 0 || std::find(options.begin(), options.end(), "allow_other") != options.end();
}

}  // namespace

std::string usage() {
  return R"(usage: aisfs ENDPOINT[,ENDPOINT...] MOUNTPOINT [-f] [-o OPTION[=VALUE],...]

Mounts all buckets of a cluster. ENDPOINT is host:port of any node, https://host:port
where nodes speak TLS.
  -f                         stay in the foreground
  -h, --help, -V, --version

options after -o (the manual, aisfs(1), says more):
  keys=FILE                  access key and secret key, a file of mode 0600
                             (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)
  ca=FILE                    PEM file to check https nodes by (the system's)
  allow_other                other users may use the mount
  default_permissions        the kernel checks modes and owners
  auto_unmount               unmount when the process dies
  ro                         read-only
  uid=N,gid=N                owner of objects without POSIX attributes
  umask=,file_mode=,dir_mode=  modes of such objects, octal
  cache_dir=DIR              for files that are being written, and seen names (/var/tmp)
  timeout=SECONDS            how long a call waits for the cluster (30)
  read_memory_mib=N          for read-ahead, all files together (256)
  delegate_ms=N              when a directory that others wanted is asked for again (1000)
  no_delegations             every call waits for the cluster
  spin_us=N                  look for the next request so long before sleeping (50)
  same_call_ms=N             how long a name without a lease counts for one thread (10)
  await_name_ms=N            how long a closed rsync temporary waits for its name (10)
  log=FILE,log_level=LEVEL   debug, info, warn or error
)";
}

Result<Credentials> read_keys_file(const std::string& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) return errno_error("keys file " + path);
  if ((st.st_mode & 077) != 0) {
    return Error(Errc::permission_denied,
                 "keys file " + path + " can be read by others: chmod 600 " + path);
  }
  std::ifstream file(path);
  Credentials keys;
  std::vector<std::string> plain;
  std::string line;
  while (std::getline(file, line)) {
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == '#' || text.front() == '[') continue;
    const std::size_t equals = text.find('=');
    const std::string name = to_lower(trim(text.substr(0, equals)));
    const bool assigns = equals != text.npos;
    if (assigns && name == "aws_access_key_id") {
      keys.access_key = std::string(trim(text.substr(equals + 1)));
    } else if (assigns && name == "aws_secret_access_key") {
      keys.secret_key = std::string(trim(text.substr(equals + 1)));
    } else {
      plain.emplace_back(text);
    }
  }
  if (keys.access_key.empty() && plain.size() == 2) {
    keys.access_key = plain[0];
    keys.secret_key = plain[1];
  }
  if (!keys.access_key.empty() && !keys.secret_key.empty()) return keys;
  return Error(Errc::invalid_argument,
               "keys file " + path + ": needs the access key and the secret key, a line each, or "
               "the format of ~/.aws/credentials");
}

Result<MountArgs> parse_mount_args(const std::vector<std::string>& argv) {
  MountArgs args;
  std::vector<std::string> words;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (word == "-h" || word == "--help") args.help = true;
    else if (word == "-V" || word == "--version") args.version = true;
    else if (word == "-f") args.foreground = true;
    else if (word == "-o" && i + 1 < argv.size()) CHECK_OK(apply_options(argv[++i], args));
    else if (word.starts_with("-o") && word.size() > 2) CHECK_OK(apply_options(word.substr(2), args));
    else if (word.starts_with('-') && word.size() > 1) {
      return Error(Errc::invalid_argument, word + ": no such option\n" + usage());
    } else words.push_back(word);
  }
  if (args.help || args.version) return args;
  if (words.size() != 2) return Error(Errc::invalid_argument, "two arguments are needed\n" + usage());
  CHECK_OK(take_endpoints(words[0], args));
  TRY(args.mountpoint, absolute(words[1]));
  CHECK_OK(take_keys(args));
  auto& options = args.kernel_options;
  const bool asked =
      std::find(options.begin(), options.end(), "default_permissions") != options.end();
  if (!asked && needs_permission_checks(options)) options.push_back("default_permissions");
  options.push_back("subtype=aisfs");
  options.push_back("fsname=" + args.endpoints.nodes.front().to_string());
  return args;
}

}  // namespace aisfs::mount
