#include "common/base/text.h"

#include "tests/support/catch.h"

namespace forebay {
namespace {

using Parts = std::vector<std::string_view>;
using Names = std::vector<std::string>;

TEST_CASE("Split keeps empty parts") {
  CHECK(Split("a,,b", ',') == Parts{"a", "", "b"});
  CHECK(Split("", ',') == Parts{""});
  CHECK(Split(",", ',') == Parts{"", ""});
}

TEST_CASE("Join is the inverse of Split") {
  CHECK(Join(Names{"a", "", "b"}, ",") == "a,,b");
  CHECK(Join(Names{}, ",").empty());
  CHECK(Join(Names{"one"}, ", ") == "one");
}

TEST_CASE("Trim takes white space from both ends only") {
  CHECK(Trim(" \t\r\n a b \n") == "a b");
  CHECK(Trim("  ").empty());
}

TEST_CASE("ReplaceAll goes on behind each replacement") {
  CHECK(ReplaceAll("a-b-c", "-", "--") == "a--b--c");
  CHECK(ReplaceAll("aaa", "aa", "a") == "aa");
  CHECK(ReplaceAll("abc", "", "x") == "abc");
}

TEST_CASE("ParseInt takes whole decimal integers and nothing else") {
  CHECK(ParseInt("-42") == -42);
  CHECK(ParseInt("9223372036854775807") == INT64_MAX);
  for (const char* text : {"", " 1", "1 ", "1.0", "+1", "0x10", "9223372036854775808", "-"}) {
    INFO(text);
    CHECK_FALSE(ParseInt(text).has_value());
  }
}

TEST_CASE("The nearest name is near") {
  const Names names = {"image", "image_pull_policy", "env", "command"};
  CHECK(NearestName("imge", names) == "image");
  CHECK(NearestName("IMAGE", names) == "image");
  CHECK(NearestName("comand", names) == "command");
  CHECK(NearestName("completely-different", names).empty());
  CHECK(NearestName("x", Names{}).empty());
}

TEST_CASE("Bytes that are no UTF-8 are replaced one by one, the rest stays") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(ToValidUtf8("plain ü € 😀") == "plain ü € 😀");
  CHECK(ToValidUtf8("a\xFF\xFE"
                    "b") == "a" + mark + mark + "b");
  CHECK(ToValidUtf8("\xC0\x80") == mark + mark);
  CHECK(ToValidUtf8("\xED\xA0\x80") == mark + mark + mark);
  CHECK(ToValidUtf8("\xF4\x90\x80\x80") == mark + mark + mark + mark);
  CHECK(ToValidUtf8("\xE2\x82") == mark + mark);
  CHECK(ToValidUtf8("").empty());
}

TEST_CASE("A resource name is 1-63 of a-z 0-9 - _, beginning with a letter or digit") {
  for (const char* name : {"a", "9", "my-pool", "my_pool", "0-_"}) CHECK(IsResourceName(name));
  for (const char* name : {"", "-a", "_a", "A", "a b", "a/b", "ü", "a."})
    CHECK_FALSE(IsResourceName(name));
  CHECK(IsResourceName(std::string(63, 'a')));
  CHECK_FALSE(IsResourceName(std::string(64, 'a')));
  CHECK_FALSE(IsResourceName(std::string_view("a\0b", 3)));
}

TEST_CASE("Hexadecimal digits stand for bytes and back") {
  CHECK(HexEncode(std::string_view("\x00\x7f\xff", 3)) == "007fff");
  CHECK(HexDecode("007FfF") == std::string("\x00\x7f\xff", 3));
  CHECK_FALSE(HexDecode("0").has_value());
  CHECK_FALSE(HexDecode("0g").has_value());
}

}  // namespace
}  // namespace forebay
