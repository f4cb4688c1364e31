#include "common/base/random.h"

#include <sys/random.h>

#include <cstdlib>
#include <cstring>

namespace forebay {
namespace {

class OsRandom final : public Random {
 public:
  std::string Bytes(size_t count) override {
    std::string bytes(count, '\0');
    size_t filled = 0;
    while (filled < count) {
      const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
      if (got > 0) filled += static_cast<size_t>(got);
    }
    return bytes;
  }
};

}  // namespace

uint64_t Random::Below(uint64_t bound) {
  uint64_t value = 0;
  std::memcpy(&value, Bytes(sizeof(value)).data(), sizeof(value));
  // The bias is below 2^-32 for every bound in use (< 2^32).
  return value % bound;
}

double Random::Unit() { return static_cast<double>(Below(uint64_t{1} << 53)) / 9007199254740992.0; }

Random& SystemRandom() {
  static OsRandom* const kRandom = new OsRandom;
  return *kRandom;
}

}  // namespace forebay
