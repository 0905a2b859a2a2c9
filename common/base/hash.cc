// SPDX-License-Identifier: MIT
// The one-shot SHA-256 below: SHA256() and its like are called deprecated and go on existing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/base/hash.h"

#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#if __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the widest vectors that the processor has
#else
#include <xxhash.h>
#endif

#include <cstring>

#include "common/base/assert.h"

namespace aisfs {
namespace {

EVP_MD_CTX* context_of(void* p) { return static_cast<EVP_MD_CTX*>(p); }

// CRC-64/NVME: reflected polynomial 0x9a6c9329ac4bc9b5, initial and final value all ones. Eight
// tables take eight bytes a step: t[k][b] is what byte b does when k more bytes follow it.
using Crc64Tables = std::array<std::array<std::uint64_t, 256>, 8>;
const Crc64Tables& crc64nvme_tables() {
  static const auto tables = [] {
    Crc64Tables t{};
    for (std::uint64_t i = 0; i < 256; ++i) {
      std::uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x9a6c9329ac4bc9b5ull : 0);
      t[0][i] = crc;
    }
    for (std::size_t k = 1; k < t.size(); ++k) {
      for (std::size_t i = 0; i < 256; ++i) t[k][i] = t[0][t[k - 1][i] & 0xff] ^ t[k - 1][i] >> 8;
    }
    return t;
  }();
  return tables;
}

/// Looked up once: OpenSSL 3 searches its providers under a lock each time that it is asked.
const EVP_MD* algorithm(Digest::Kind kind) {
  static const EVP_MD* const found[] = {EVP_MD_fetch(nullptr, "MD5", nullptr),
                                        EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                        EVP_MD_fetch(nullptr, "SHA2-256", nullptr)};
  return found[static_cast<std::size_t>(kind)];
}

constexpr std::size_t kSha256Block = 64;

/// Every request is signed with a dozen of these over short texts: an EVP context for each costs
/// more than the hash.
std::string sha256_of(std::string_view first, std::string_view second) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, first.data(), first.size());
  SHA256_Update(&context, second.data(), second.size());
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context);
  return out;
}

}  // namespace

std::uint64_t xxh64(ConstBytes bytes, std::uint64_t seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}

std::uint64_t xxh3_64(ConstBytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint32_t crc32c(ConstBytes bytes, std::uint32_t crc) {
  // ISA-L's crc32_iscsi neither inverts before nor after.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~crc);
}

std::uint32_t crc32(ConstBytes bytes, std::uint32_t crc) {
  return crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint64_t crc64nvme(ConstBytes bytes, std::uint64_t crc) {
  const auto& t = crc64nvme_tables();
  crc = ~crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= crc;
    crc = t[7][word & 0xff] ^ t[6][word >> 8 & 0xff] ^ t[5][word >> 16 & 0xff] ^
          t[4][word >> 24 & 0xff] ^ t[3][word >> 32 & 0xff] ^ t[2][word >> 40 & 0xff] ^
          t[1][word >> 48 & 0xff] ^ t[0][word >> 56];
  }
  for (std::byte b : bytes) crc = t[0][(crc ^ std::to_integer<std::uint64_t>(b)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::string sha256(std::string_view text) { return sha256_of(text, {}); }

// RFC 2104, from the hash: OpenSSL's own looks up both algorithms anew in every call.
std::string hmac_sha256(std::string_view key, std::string_view text) {
  const std::string hashed = key.size() > kSha256Block ? sha256(key) : std::string();
  if (!hashed.empty()) key = hashed;
  std::string inner(kSha256Block, '\x36');
  std::string outer(kSha256Block, '\x5c');
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  return sha256_of(outer, sha256_of(inner, text));
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Digest::Digest(Kind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* md = algorithm(kind);
  AISFS_ASSERT(EVP_DigestInit_ex(context_of(context_.get()), md, nullptr) == 1);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
void Digest::Free::operator()(void* context) const { EVP_MD_CTX_free(context_of(context)); }

void Digest::update(ConstBytes bytes) {
  EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size());
}

std::string Digest::finish() {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(context_of(context_.get()), reinterpret_cast<unsigned char*>(out.data()),
                     &size);
  out.resize(size);
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  AISFS_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()),
                          static_cast<int>(count)) == 1);
  return out;
}

}  // namespace aisfs
