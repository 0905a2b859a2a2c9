// SPDX-License-Identifier: MIT
#include "common/auth/seal.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::auth {
namespace {

constexpr std::string_view kPrefix = "s1.";
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kSecretBytesMax = 4096;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string random_of(std::string_view alphabet, std::size_t count) {
  std::string out;
  // Bytes above the largest multiple of the alphabet's size would favour its first letters.
  const std::size_t limit = 256 / alphabet.size() * alphabet.size();
  while (out.size() < count) {
    for (char c : random_bytes(count)) {
      const auto u = static_cast<unsigned char>(c);
      if (u < limit && out.size() < count) out += alphabet[u % alphabet.size()];
    }
  }
  return out;
}

Error corrupt(std::string_view what) {
  return Error(Errc::corrupt, "sealed secret: " + std::string(what));
}

}  // namespace

std::string seal(std::string_view key, std::string_view plain, std::string_view bound_to) {
  AISFS_ASSERT(key.size() == 32 && plain.size() <= kSecretBytesMax);
  const std::string nonce = random_bytes(kNonceBytes);
  std::string text(plain.size(), '\0'), tag(kTagBytes, '\0');
  const CipherContext context(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ok =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) &&
      EVP_EncryptUpdate(context.get(), nullptr, &n, bytes(bound_to),
                        static_cast<int>(bound_to.size())) &&
      EVP_EncryptUpdate(context.get(), bytes(text), &n, bytes(plain),
                        static_cast<int>(plain.size())) &&
      EVP_EncryptFinal_ex(context.get(), bytes(text) + n, &n) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data());
  AISFS_ASSERT(ok);
  return std::string(kPrefix) + to_base64url(as_bytes(nonce + text + tag));
}

Result<std::string> unseal(std::string_view key,
                           std::string_view sealed,
                           std::string_view bound_to) {
  AISFS_ASSERT(key.size() == 32);
  if (!sealed.starts_with(kPrefix)) {
    return Error(Errc::unsupported, "sealed secret: made by a newer version of aisfs");
  }
  auto raw = from_base64url(sealed.substr(kPrefix.size()));
  if (!raw.ok() || raw->size() < kNonceBytes + kTagBytes ||
      raw->size() > kNonceBytes + kTagBytes + kSecretBytesMax) {
    return corrupt("bad form");
  }
  const std::string nonce = raw->substr(0, kNonceBytes);
  std::string tag = raw->substr(raw->size() - kTagBytes);
  const std::string cipher = raw->substr(kNonceBytes, raw->size() - kNonceBytes - kTagBytes);
  std::string plain(cipher.size() + kTagBytes, '\0');
  const CipherContext context(EVP_CIPHER_CTX_new());
  int n = 0, last = 0;
  const bool ok =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) &&
      EVP_DecryptUpdate(context.get(), nullptr, &n, bytes(bound_to),
                        static_cast<int>(bound_to.size())) &&
      EVP_DecryptUpdate(context.get(), bytes(plain), &n, bytes(cipher),
                        static_cast<int>(cipher.size())) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) &&
      EVP_DecryptFinal_ex(context.get(), bytes(plain) + n, &last) > 0;
  if (!ok) return corrupt("wrong cluster key, or changed");
  plain.resize(static_cast<std::size_t>(n + last));
  return plain;
}

s3::KeyPair generate_keys() {
  return {.access_key = random_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 20),
          .secret_key = random_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                                  40)};
}

Status validate_keys(const s3::KeyPair& keys) {
  const auto ok_in_access = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '-';
  };
  const auto& access = keys.access_key;
  const auto& secret = keys.secret_key;
  if (access.size() < 3 || access.size() > 128 ||
      !std::all_of(access.begin(), access.end(), ok_in_access)) {
    return Error(Errc::invalid_argument, "an access key is 3 to 128 of A-Z a-z 0-9 _ . -");
  }
  const auto printable = [](char c) { return c > ' ' && c < 127; };
  if (secret.size() < 8 || secret.size() > 128 ||
      !std::all_of(secret.begin(), secret.end(), printable)) {
    return Error(Errc::invalid_argument, "a secret key is 8 to 128 printable characters");
  }
  return {};
}

}  // namespace aisfs::auth
