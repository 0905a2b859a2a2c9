// SPDX-License-Identifier: MIT
#include "common/http/lower_effort.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

namespace aisfs::http {
namespace {

constexpr unsigned kLowerEffort = 1;
constexpr unsigned kEcnBits = 2;  // below the DSCP in both versions of the field

}  // namespace

void mark_lower_effort(Socket& socket) {
  boost::system::error_code ec;
  const bool v6 = socket.local_endpoint(ec).protocol() == asio::ip::tcp::v6();
  const int field = kLowerEffort << kEcnBits;
  // Not marked it is as good as any other.
  (void)::setsockopt(socket.native_handle(), v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                     v6 ? IPV6_TCLASS : IP_TOS, &field, sizeof(field));
}

void keep_marks(int listener) {
  const int on = 1;
  (void)::setsockopt(listener, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on));
}

/// By the first octets of the packet that asked for the connection: RFC 791 3.1, RFC 8200 3.
bool is_lower_effort(int accepted) {
  std::array<unsigned char, 128> packet;  // its two headers
  socklen_t size = packet.size();
  if (::getsockopt(accepted, IPPROTO_TCP, TCP_SAVED_SYN, packet.data(), &size) != 0) return false;
  if (size < 2) return false;
  const unsigned both = packet[0] << 8U | packet[1];
  const unsigned version = both >> 12U;
  const unsigned field = version == 4 ? both & 0xffU : both >> 4U & 0xffU;
  return field >> kEcnBits == kLowerEffort;
}

}  // namespace aisfs::http
