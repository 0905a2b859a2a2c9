// SPDX-License-Identifier: MIT
#include "common/base/hash.h"

#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <xxhash.h>

#include "common/base/assert.h"

namespace aisfs {
namespace {

EVP_MD_CTX* context_of(void* p) { return static_cast<EVP_MD_CTX*>(p); }

// CRC-64/NVME: reflected polynomial 0x9a6c9329ac4bc9b5, initial and final value all ones.
const std::array<std::uint64_t, 256>& crc64nvme_table() {
  static const auto table = [] {
    std::array<std::uint64_t, 256> t{};
    for (std::uint64_t i = 0; i < 256; ++i) {
      std::uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x9a6c9329ac4bc9b5ull : 0);
      t[i] = crc;
    }
    return t;
  }();
  return table;
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
  const auto& table = crc64nvme_table();
  crc = ~crc;
  for (std::byte b : bytes) crc = table[(crc ^ std::to_integer<std::uint64_t>(b)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::string sha256(std::string_view text) {
  Digest digest(Digest::Kind::kSha256);
  digest.update(as_bytes(text));
  return digest.finish();
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Digest::Digest(Kind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* md = kind == Kind::kMd5    ? EVP_md5()
                     : kind == Kind::kSha1 ? EVP_sha1()
                                           : EVP_sha256();
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
