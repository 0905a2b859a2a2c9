// SPDX-License-Identifier: MIT
// Lists a bucket page by page in msgpack over one connection and decodes every entry.
//
//   aisfs_bench_list HOST PORT BUCKET TOKEN [PAGE]
//
// Prints: entries, milliseconds of the first page, milliseconds of the whole, bytes received. The
// continuation token comes in front of a page's entries, so the next page is asked for before this
// one is decoded: server and client work at the same time.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/base/unique_fd.h"

namespace {

using Clock = std::chrono::steady_clock;

/// The part of msgpack that a listing has.
class Msgpack {
 public:
  explicit Msgpack(std::string_view in) : in_(in) {}

  std::uint64_t map() { return count(0x80, 0xde); }
  std::uint64_t array() { return count(0x90, 0xdc); }

  std::string_view text() {
    const unsigned code = byte();
    std::size_t size = code & 31;
    if (code == 0xd9) size = big_endian(1);
    else if (code == 0xda) size = big_endian(2);
    else if (code == 0xdb) size = big_endian(4);
    else if (code >> 5 != 5) throw std::runtime_error("not a text");
    return take(size);
  }

  std::uint64_t number() {
    const unsigned code = byte();
    if (code < 0x80) return code;
    if (code < 0xcc || code > 0xcf) throw std::runtime_error("not a number");
    return big_endian(1 << (code - 0xcc));
  }

  bool at_text() const { return !in_.empty() && ((first() >> 5) == 5 || (first() >= 0xd9 && first() <= 0xdb)); }

 private:
  unsigned first() const { return static_cast<unsigned char>(in_.front()); }
  std::string_view take(std::size_t n) {
    if (n > in_.size()) throw std::runtime_error("the page ends early");
    const auto part = in_.substr(0, n);
    in_.remove_prefix(n);
    return part;
  }
  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint64_t big_endian(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::uint64_t count(unsigned fix, unsigned code16) {
    const unsigned code = byte();
    if (code >> 4 == fix >> 4) return code & 15;
    if (code != code16 && code != code16 + 1) throw std::runtime_error("not a map or an array");
    return big_endian(code == code16 ? 2 : 4);
  }

  std::string_view in_;
};

class Lister {
 public:
  Lister(const char* host, int port, std::string bucket, std::string token, std::string page)
      : bucket_(std::move(bucket)), token_(std::move(token)), page_(std::move(page)) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host, &to.sin_addr);
    const int one = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }

  void ask(std::string_view after) {
    const std::string body = R"({"action":"list","value":{"props":"name,size","pagesize":")" +
                             page_ + R"(","continuation_token":")" + std::string(after) + "\"}}";
    const std::string request = "GET /v1/buckets/" + bucket_ + "?provider=ais HTTP/1.1\r\nHost: b\r\n" +
                                "Authorization: Bearer " + token_ +
                                "\r\nAccept: application/msgpack\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    if (::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      throw std::runtime_error("cannot send");
    }
  }

  std::string answer() {
    std::string in;
    std::size_t end = 0;
    while ((end = in.find("\r\n\r\n")) == in.npos) receive(in, 64 << 10);
    if (!in.starts_with("HTTP/1.1 200")) throw std::runtime_error(in);
    const char* length = ::strcasestr(in.c_str(), "\ncontent-length:");
    if (length == nullptr) throw std::runtime_error("no length");
    const std::size_t total = end + 4 + static_cast<std::size_t>(std::atoll(length + 16));
    while (in.size() < total) receive(in, total - in.size());
    return in.substr(end + 4);
  }

 private:
  void receive(std::string& in, std::size_t most) {
    const std::size_t before = in.size();
    in.resize(before + most);
    const ssize_t n = ::recv(fd_.get(), in.data() + before, most, 0);
    if (n <= 0) throw std::runtime_error("the connection ended");
    in.resize(before + static_cast<std::size_t>(n));
  }

  std::string bucket_, token_, page_;
  aisfs::UniqueFd fd_;
};

struct Totals {
  std::uint64_t entries = 0, size = 0, bytes = 0;
  std::string last;
};

void decode_entry(Msgpack& in, Totals& totals) {
  std::string_view name;
  for (auto members = in.map(); members > 0; --members) {
    const std::string_view key = in.text();
    if (in.at_text()) {
      const std::string_view value = in.text();
      if (key == "n") name = value;
    } else {
      const std::uint64_t value = in.number();
      if (key == "s") totals.size += value;
    }
  }
  if (name <= totals.last) throw std::runtime_error("not in order: " + std::string(name));
  totals.last = name;
  ++totals.entries;
}

/// Takes a page, asks for the next, decodes. False when it was the last.
bool take_page(Lister& lister, Totals& totals) {
  const std::string page = lister.answer();
  totals.bytes += page.size();
  Msgpack in(page);
  bool more = false;
  for (auto members = in.map(); members > 0; --members) {
    const std::string_view key = in.text();
    if (key == "Entries") {
      for (auto left = in.array(); left > 0; --left) decode_entry(in, totals);
    } else if (key == "ContinuationToken") {
      const std::string_view token = in.text();
      more = !token.empty();
      if (more) lister.ask(token);
    } else if (key == "Flags") {
      in.number();
    } else {
      in.text();
    }
  }
  return more;
}

int run(int argc, char** argv) {
  Lister lister(argv[1], std::atoi(argv[2]), argv[3], argv[4], argc > 5 ? argv[5] : "10000");
  Totals totals;
  const auto begin = Clock::now();
  const auto elapsed = [&begin] {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  };
  lister.ask("");
  bool more = take_page(lister, totals);
  const double first = elapsed();
  while (more) more = take_page(lister, totals);
  std::printf("%llu %.1f %.1f %llu\n", static_cast<unsigned long long>(totals.entries), first,
              elapsed(), static_cast<unsigned long long>(totals.bytes));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s HOST PORT BUCKET TOKEN [PAGE]\n", argv[0]);
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
