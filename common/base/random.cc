#include "common/base/random.h"

#include <sys/random.h>

#include <cstdlib>
#include <cstring>

namespace forebay {
namespace {

constexpr size_t kBlockBytes = 4096;

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

std::string BufferedRandom::Bytes(size_t count) {
  if (count > kBlockBytes) return source_.Bytes(count);
  MutexLock lock(mutex_);
  if (block_.size() - used_ < count) {
    block_ = source_.Bytes(kBlockBytes);
    used_ = 0;
  }
  std::string bytes = block_.substr(used_, count);
  std::memset(block_.data() + used_, 0, count);
  used_ += count;
  return bytes;
}

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
