// SPDX-License-Identifier: MIT
// Keep-alive HTTP/1.1 load on any server, and what it costs that server: the same client for both
// sides of a ratio.
//
//   aisfs_bench_load HOST PORT --op get|put|head --path PREFIX [--query Q] [--size N] [--names N]
//                    [--connections N] [--seconds N] [--rate N] [--header 'Name: value']... [--pid
//                    N]...
//
// A line of: requests per second, MB per second, CPU microseconds per request of the processes
// named by --pid and their children, failures; then the median, the 99th percentile and the most of
// the milliseconds that a request took. Object i is PREFIX + i. Bodies are discarded in the kernel,
// so that the client takes as little of a shared machine as it can.
//
// With --rate, so many requests a second come at even distances, whether those before are answered
// or not: a connection that is late begins the next one at once, and what it was late counts.
// SIGTERM ends the run as the end of its time does.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Load {
  std::string host;
  std::uint16_t port = 0;
  std::string op = "get";
  std::string path = "/";
  std::string query;
  std::string headers;
  std::size_t size = 4096;
  std::size_t names = 1000;
  std::size_t connections = 16;
  double seconds = 2;
  double rate = 0;    // requests a second of all connections; 0: as many as are answered
  bool once = false;  // each name one time, instead of for --seconds
  std::vector<std::string> pids;
};

struct Totals {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> failures = 0;
};

std::atomic<bool> told_to_end = false;

/// Nanoseconds on a CPU of all threads of the process and of its children.
double cpu_ns(const std::string& pid) {
  double sum = 0;
  std::error_code ec;
  for (const auto& task : fs::directory_iterator("/proc/" + pid + "/task", ec)) {
    double on_cpu = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu;
    sum += on_cpu;
    std::ifstream children(task.path() / "children");
    for (std::string child; children >> child;) sum += cpu_ns(child);
  }
  return sum;
}

double cpu_ns(const Load& load) {
  double sum = 0;
  for (const std::string& pid : load.pids) sum += cpu_ns(pid);
  return sum;
}

/// One connection: sends a request, takes its answer, and so on.
class Client {
 public:
  /// With --rate, its first request is due at `first` and each one `distance` after the one before.
  Client(const Load& load,
         Totals& totals,
         const std::string& body,
         Clock::time_point first,
         Clock::duration distance)
      : load_(load), totals_(totals), body_(body), due_(first), distance_(distance) {}

  int fd() const { return fd_.get(); }
  bool waits() const { return waits_; }
  Clock::time_point due() const { return due_; }
  const std::vector<float>& took_ms() const { return took_ms_; }

  bool connect() {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(load_.port);
    ::inet_pton(AF_INET, load_.host.c_str(), &to.sin_addr);
    const int one = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }

  /// The next request, or the wait for it. False when there is nothing left to ask or the
  /// connection is lost.
  bool next() {
    if (load_.rate == 0) due_ = Clock::now();
    waits_ = due_ > Clock::now();
    return waits_ || start();
  }

  bool start() {
    waits_ = false;
    const std::size_t i = totals_.next++;
    if (load_.once && i >= load_.names) return false;
    request_ = (load_.op == "put" ? "PUT " : load_.op == "head" ? "HEAD " : "GET ") + load_.path +
               std::to_string(i % load_.names) + load_.query + " HTTP/1.1\r\nHost: " + load_.host +
               "\r\n" + load_.headers;
    if (load_.op == "put") request_ += "Content-Length: " + std::to_string(load_.size) + "\r\n";
    request_ += "\r\n";
    sent_ = 0;
    head_.clear();
    left_ = -1;
    return send();
  }

  /// Sends what the socket takes.
  bool send() {
    const std::size_t total = request_.size() + (load_.op == "put" ? load_.size : 0);
    while (sent_ < total) {
      iovec parts[2];
      msghdr message{};
      message.msg_iov = parts;
      if (sent_ < request_.size()) {
        parts[message.msg_iovlen++] = {request_.data() + sent_, request_.size() - sent_};
      }
      if (total > request_.size()) {
        const std::size_t at = sent_ > request_.size() ? sent_ - request_.size() : 0;
        parts[message.msg_iovlen++] = {const_cast<char*>(body_.data()) + at, load_.size - at};
      }
      const ssize_t n = ::sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      sent_ += static_cast<std::size_t>(n);
    }
    return true;
  }

  bool sending() const {
    return sent_ < request_.size() + (load_.op == "put" ? load_.size : 0);
  }

  /// Takes what has arrived; the next request follows the end of an answer.
  bool receive() {
    if (waits_) return false;  // nothing was asked: it has closed the connection
    while (true) {
      if (left_ < 0) {
        char part[2048];
        const ssize_t n = ::recv(fd_.get(), part, sizeof part, MSG_DONTWAIT);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        head_.append(part, static_cast<std::size_t>(n));
        if (!take_head()) continue;
      } else if (left_ > 0) {
        const ssize_t n = ::recv(fd_.get(), nullptr, static_cast<std::size_t>(left_),
                                 MSG_DONTWAIT | MSG_TRUNC);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        left_ -= n;
      }
      if (left_ == 0) {
        count();
        return next();
      }
    }
  }

 private:
  bool take_head() {
    const auto end = head_.find("\r\n\r\n");
    if (end == head_.npos) return false;
    status_ = std::atoi(head_.c_str() + 9);
    const char* length = ::strcasestr(head_.c_str(), "\ncontent-length:");
    long long body = length != nullptr ? std::atoll(length + 16) : 0;
    if (load_.op == "head") body = 0;
    length_ = static_cast<std::uint64_t>(body);
    left_ = body - static_cast<long long>(head_.size() - end - 4);
    return true;
  }

  void count() {
    took_ms_.push_back(std::chrono::duration<float, std::milli>(Clock::now() - due_).count());
    due_ += distance_;
    const bool whole = load_.op != "get" || length_ == load_.size;
    if (status_ / 100 == 2 && whole) {
      ++totals_.requests;
      totals_.bytes += load_.op == "head" ? 0 : load_.size;
    } else if (++totals_.failures == 1) {
      std::fprintf(stderr, "%s\n%s\n", request_.c_str(), head_.c_str());
    }
  }

  const Load& load_;
  Totals& totals_;
  const std::string& body_;
  aisfs::UniqueFd fd_;
  std::string request_;
  std::size_t sent_ = 0;
  std::string head_;
  int status_ = 0;
  std::uint64_t length_ = 0;
  long long left_ = -1;  // of the body; -1 before the head is complete
  Clock::time_point due_;
  const Clock::duration distance_;
  bool waits_ = false;
  std::vector<float> took_ms_;
};

/// Milliseconds until the first of the requests that are due later.
int patience(const std::vector<std::unique_ptr<Client>>& clients) {
  auto first = Clock::now() + std::chrono::milliseconds(100);
  for (const auto& client : clients) {
    if (client->waits()) first = std::min(first, client->due());
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
  return std::max(0, static_cast<int>(left.count()));
}

/// Every connection of one thread; returns how long each request took.
std::vector<float> drive(const Load& load,
                         Totals& totals,
                         std::size_t count,
                         Clock::time_point begin,
                         Clock::time_point end) {
  const std::string body(load.op == "put" ? load.size : 0, 'b');
  aisfs::UniqueFd poll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<std::unique_ptr<Client>> clients;
  std::size_t alive = 0;
  const auto watch = [&](std::size_t i, int how) {
    epoll_event event{};
    event.events = EPOLLIN | (clients[i]->sending() ? EPOLLOUT : 0u);
    event.data.u64 = i;
    ::epoll_ctl(poll.get(), how, clients[i]->fd(), &event);
  };
  const std::chrono::duration<double> seconds(
      load.rate > 0 ? static_cast<double>(load.connections) / load.rate : 0);
  const auto distance = std::chrono::duration_cast<Clock::duration>(seconds);
  for (std::size_t i = 0; i < count; ++i) {
    const auto first = begin + distance * i / count;
    clients.push_back(std::make_unique<Client>(load, totals, body, first, distance));
    if (!clients[i]->connect() || !clients[i]->next()) continue;
    watch(i, EPOLL_CTL_ADD);
    ++alive;
  }
  epoll_event events[64];
  while (alive > 0 && !told_to_end && (load.once || Clock::now() < end)) {
    const int n = ::epoll_wait(poll.get(), events, 64, load.rate > 0 ? patience(clients) : 100);
    for (int e = 0; e < n; ++e) {
      const auto i = events[e].data.u64;
      Client& client = *clients[i];
      const bool was_sending = client.sending();
      const bool goes_on = (!was_sending || client.send()) &&
                           ((events[e].events & EPOLLIN) == 0 || client.receive());
      if (!goes_on) {
        ::epoll_ctl(poll.get(), EPOLL_CTL_DEL, client.fd(), nullptr);
        --alive;
      } else if (was_sending || client.sending()) {
        watch(i, EPOLL_CTL_MOD);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (clients[i]->waits() && clients[i]->due() <= Clock::now() && clients[i]->start()) {
        watch(i, EPOLL_CTL_MOD);
      }
    }
  }
  std::vector<float> took;
  for (const auto& client : clients) {
    took.insert(took.end(), client->took_ms().begin(), client->took_ms().end());
  }
  return took;
}

/// The part of them that is not above the result.
float percentile(std::vector<float>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
  return sorted[at];
}

int run(const Load& load) {
  std::signal(SIGTERM, [](int) { told_to_end = true; });
  Totals totals;
  const double before = cpu_ns(load);
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(load.seconds));
  std::vector<std::thread> threads;
  std::vector<float> took[2];
  for (auto& mine : took) {
    threads.emplace_back([&] { mine = drive(load, totals, load.connections / 2, begin, end); });
  }
  for (auto& thread : threads) thread.join();
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  const double cpu = (cpu_ns(load) - before) / 1000;
  const auto requests = static_cast<double>(std::max<std::uint64_t>(1, totals.requests));
  took[0].insert(took[0].end(), took[1].begin(), took[1].end());
  std::sort(took[0].begin(), took[0].end());
  std::printf("%.0f %.1f %.1f %llu %.2f %.2f %.2f\n", requests / wall, totals.bytes / wall / 1e6,
              cpu / requests, static_cast<unsigned long long>(totals.failures),
              percentile(took[0], 0.5), percentile(took[0], 0.99), percentile(took[0], 1));
  return totals.failures == 0 && totals.requests > 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Load& load) {
  if (argc < 3) return false;
  load.host = argv[1];
  load.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  for (int i = 3; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--once") {
      load.once = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    if (option == "--op") load.op = value;
    else if (option == "--path") load.path = value;
    else if (option == "--query") load.query = value;
    else if (option == "--header") load.headers += value + "\r\n";
    else if (option == "--size") load.size = std::stoul(value);
    else if (option == "--names") load.names = std::stoul(value);
    else if (option == "--connections") load.connections = std::stoul(value);
    else if (option == "--seconds") load.seconds = std::stod(value);
    else if (option == "--rate")
      load.rate = std::stod(value);
    else if (option == "--pid") load.pids.push_back(value);
    else return false;
  }
  return load.names > 0 && load.connections > 1;
}

}  // namespace

int main(int argc, char** argv) {
  Load load;
  if (!parse(argc, argv, load)) {
    std::fprintf(stderr, "usage: %s HOST PORT --op get|put|head --path PREFIX ...\n", argv[0]);
    return 2;
  }
  return run(load);
}
