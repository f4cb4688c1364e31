// SHA256_Init and its like are deprecated in favour of EVP, which fetches its functions from
// providers and for that sets up all of OpenSSL: 2 MiB and more than a millisecond in a worker or a
// command that needs a checksum of a key and nothing else of OpenSSL.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/crypto/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace forebay {

std::string Sha256(std::string_view data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, data.data(), data.size());
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context);
  return digest;
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace forebay
