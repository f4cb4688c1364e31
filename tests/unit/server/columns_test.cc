#include "server/db/columns.h"

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

// What PostgreSQL 15 answers in binary for `SELECT '{1,NULL,-2}'::smallint[]`.
TEST_CASE("A column is an array as PostgreSQL sends it") {
  SmallIntColumn column;
  column.Add(1);
  column.Null();
  column.Add(-2);
  CHECK(column.Take() == Bytes({0, 0, 0, 1, 0, 0, 0, 1, 0,   0,   0,   21,  0, 0, 0, 3, 0,   0,
                                0, 1, 0, 0, 0, 2, 0, 1, 255, 255, 255, 255, 0, 0, 0, 2, 255, 254}));
}

TEST_CASE("A column that was taken is empty") {
  TextColumn column;
  column.Add("a");
  column.Take();
  CHECK(column.Take() == Bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25}));
}

TEST_CASE("Text and bytes go as they are, the empty ones too") {
  BytesColumn column;
  column.Add(std::string_view("\0\xff", 2));
  column.Add("");
  CHECK(column.Take() == Bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,   17, 0, 0, 0,
                                2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 0,  0, 0, 0}));
}

}  // namespace
}  // namespace forebay::server
