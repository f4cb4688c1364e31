#include "common/job_spec/quantity.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace forebay {
namespace {

int64_t Millis(const char* text) {
  const auto quantity = ParseQuantity(text);
  INFO(text);
  REQUIRE(quantity.has_value());
  return quantity->Millis();
}

int64_t Whole(const char* text) {
  const auto quantity = ParseQuantity(text);
  INFO(text);
  REQUIRE(quantity.has_value());
  return quantity->Whole();
}

TEST_CASE("Quantities are read exactly, with decimal and binary suffixes and exponents") {
  CHECK(Millis("250m") == 250);
  CHECK(Millis("0.1") == 100);
  CHECK(Millis("2") == 2000);
  CHECK(Millis(".5") == 500);
  CHECK(Millis("1.") == 1000);
  CHECK(Millis("+1") == 1000);
  CHECK(Millis("-1") == -1000);
  CHECK(Whole("64Mi") == 64 << 20);
  CHECK(Whole("1.5Gi") == 3LL << 29);
  CHECK(Whole("0.1Ki") == 103);
  CHECK(Whole("2G") == 2'000'000'000);
  CHECK(Whole("1k") == 1000);
  CHECK(Whole("1e3") == 1000);
  CHECK(Whole("1E3") == 1000);
  CHECK(Whole("12e-1") == 2);
  CHECK(Whole("1E") == 1'000'000'000'000'000'000);
  CHECK(Whole("7Ei") == 7LL << 60);
  CHECK(Whole("9223372036854775807") == INT64_MAX);
  CHECK(Whole("0") == 0);
}

TEST_CASE("What is finer than its unit is rounded up, as Kubernetes does") {
  CHECK(Whole("1m") == 1);
  CHECK(Whole("1.1") == 2);
  CHECK(Millis("1n") == 1);
  CHECK(Millis("100u") == 1);
  CHECK(ParseQuantity("0.1n")->nanos == 1);
  CHECK(Millis("1000001n") == 2);
}

TEST_CASE("What is no quantity is not taken for one") {
  for (const char* bad : {"",    "m",   ".",     "1 ",    " 1",
                          "1mm", "1ki", "1mi",   "1KI",   "1Kib",
                          "1e",  "e3",  "1e+",   "1e1.5", "0x10",
                          "1,5", "--1", "1-",    "1.2.3", "lots",
                          "inf", "nan", "1e99",  "8Ei",   "9223372036854775808",
                          "1Zi", "1Q",  "1e++3", "1i"}) {
    INFO(bad);
    CHECK_FALSE(ParseQuantity(bad).has_value());
  }
}

TEST_CASE("Numbers are quantities too") {
  CHECK(QuantityOf(Json(2))->Whole() == 2);
  CHECK(QuantityOf(Json(0.25))->Millis() == 250);
  CHECK(QuantityOf(Json("1Gi"))->Whole() == 1 << 30);
  CHECK_FALSE(QuantityOf(Json(true)).has_value());
  CHECK_FALSE(QuantityOf(Json::array()).has_value());
}

}  // namespace
}  // namespace forebay
