#include "common/base/random.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"

namespace forebay {
namespace {

TEST_CASE("The system's random bytes have the length asked for and differ") {
  CHECK(SystemRandom().Bytes(0).empty());
  CHECK(SystemRandom().Bytes(1000).size() == 1000);
  CHECK(SystemRandom().Bytes(16) != SystemRandom().Bytes(16));
}

TEST_CASE("Below stays below and reaches every small value") {
  SeededRandom random(5);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Below(7));
  CHECK(seen == std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("Unit lies in [0, 1)") {
  SeededRandom random(6);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.Unit();
    CHECK(value >= 0.0);
    CHECK(value < 1.0);
  }
}

TEST_CASE("Buffered bytes are those of the source, each given out once") {
  SeededRandom source(5), same(5);
  BufferedRandom random(source);
  const std::string block = same.Bytes(4096);
  CHECK(random.Bytes(10) == block.substr(0, 10));
  CHECK(random.Bytes(32) == block.substr(10, 32));
}

TEST_CASE("Buffered bytes are as many as were asked for, whatever is left in the block") {
  BufferedRandom random(SystemRandom());
  std::set<std::string> seen;
  for (size_t i = 0; i < 2000; ++i) {
    const std::string bytes = random.Bytes(16 + i % 100);
    CHECK(bytes.size() == 16 + i % 100);
    seen.insert(bytes);
  }
  CHECK(seen.size() == 2000);
  CHECK(random.Bytes(10'000).size() == 10'000);
  CHECK(random.Bytes(0).empty());
}

}  // namespace
}  // namespace forebay
