#include "common/net/curl_library.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

TEST_CASE("a missing libcurl is said with the file and what installs it", "[net]") {
  const auto curl = CurlLibrary::Load("libcurl-that-nobody-has.so.4");
  REQUIRE(absl::IsFailedPrecondition(curl.status()));
  CHECK(ReasonOf(curl.status()) == "HTTP_LIBRARY_MISSING");
  CHECK(MessageOf(curl.status()).find("libcurl-that-nobody-has.so.4") != std::string_view::npos);
  CHECK(DetailOf(curl.status())->metadata.at("next") == "apt-get install libcurl4");
}

TEST_CASE("a library that lacks a function is not taken for libcurl", "[net]") {
  const auto curl = CurlLibrary::Load("libm.so.6");
  REQUIRE(ReasonOf(curl.status()) == "HTTP_LIBRARY_MISSING");
  CHECK(MessageOf(curl.status()).find("curl_global_init") != std::string_view::npos);
}

TEST_CASE("libcurl is loaded once", "[net]") {
  const auto first = CurlLibrary::Loaded();
  REQUIRE(first.ok());
  CHECK(*CurlLibrary::Loaded() == *first);
}

}  // namespace
}  // namespace forebay
