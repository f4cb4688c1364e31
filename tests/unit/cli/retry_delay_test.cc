#include "cli/retry_delay.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

using Delays = std::vector<absl::Duration>;

Delays Parsed(const std::string& text) {
  const auto delays = ParseRetryDelay(text, "--retry-delay");
  INFO(text);
  REQUIRE(delays.ok());
  return *delays;
}

TEST_CASE("One pause, a list, or none") {
  CHECK(Parsed("10s") == Delays{absl::Seconds(10)});
  CHECK(Parsed("10") == Delays{absl::Seconds(10)});
  CHECK(Parsed("10s,30s, 1m") == Delays{absl::Seconds(10), absl::Seconds(30), absl::Minutes(1)});
  CHECK(Parsed("none").empty());
  CHECK(Parsed("0s") == Delays{absl::ZeroDuration()});
}

TEST_CASE("Exponential doubles from the first pause and ends with the cap, once") {
  CHECK(Parsed("exponential:10s..1m") ==
        Delays{absl::Seconds(10), absl::Seconds(20), absl::Seconds(40), absl::Minutes(1)});
  CHECK(Parsed("exponential:10s..40s") ==
        Delays{absl::Seconds(10), absl::Seconds(20), absl::Seconds(40)});
  CHECK(Parsed("exponential:10s..10s") == Delays{absl::Seconds(10)});
  CHECK(Parsed("exponential:1ms..7d").size() < 100);
}

TEST_CASE("What is no pause is named with the option") {
  for (const char* text :
       {"", "soon", "10s,", "10s,,1m", "-5s", "exponential", "exponential:10s",
        "exponential:1m..10s", "exponential:0s..10s", "exponential:..10s", "expo:1s..2s"}) {
    INFO(text);
    const auto status = ParseRetryDelay(text, "--retry-delay").status();
    CHECK(ReasonOf(status) == "USAGE");
    CHECK(MessageOf(status).starts_with("--retry-delay"));
  }
  std::string many = "1s";
  for (int i = 0; i < 100; ++i) many += ",1s";
  CHECK(ReasonOf(ParseRetryDelay(many, "--retry-delay").status()) == "USAGE");
}

}  // namespace
}  // namespace forebay::cli
