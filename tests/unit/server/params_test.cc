#include "server/db/params.h"

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

TEST_CASE("array literal: elements are quoted so that any text survives", "[db]") {
  ArrayLiteral literal;
  literal.Text("a\"b\\c");
  literal.Text("NULL");
  literal.Null();
  literal.Int(-3);
  literal.Bytes(std::string("\x00\xff", 2));
  CHECK(literal.Take() == "{\"a\\\"b\\\\c\",\"NULL\",NULL,-3,\"\\\\x00ff\"}");
  CHECK(literal.Take() == "{}");
}

TEST_CASE("args: values keep their order and null stays null", "[db]") {
  const Params params = Args().Text("x").Null().Bool(true).Int(7).params();
  REQUIRE(params.size() == 4);
  CHECK(params[0] == "x");
  CHECK_FALSE(params[1].has_value());
  CHECK(params[2] == "t");
  CHECK(params[3] == "7");
}

}  // namespace
}  // namespace forebay::server
