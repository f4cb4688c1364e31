#include "common/rpc/server_list.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

using Servers = std::vector<std::string>;

TEST_CASE("server list: one, several, doubles", "[servers]") {
  CHECK(*ParseServerList("localhost:7070") == Servers{"localhost:7070"});
  CHECK(*ParseServerList("a:1, b:2,a:1") == Servers{"a:1", "b:2"});
  CHECK(*ParseServerList("[::1]:7070") == Servers{"[::1]:7070"});
}

TEST_CASE("server list: what is no server is named", "[servers]") {
  for (const char* text :
       {"", "a", "a:", ":1", "a:0", "a:65536", "a:1,,b:2", "a:1,b", "a b:1", "http://a:1"}) {
    INFO(text);
    const auto parsed = ParseServerList(text);
    REQUIRE(!parsed.ok());
    CHECK(ReasonOf(parsed.status()) == "INVALID_SERVER");
  }
  CHECK(DetailOf(ParseServerList("a:1,bad,c:3").status())->metadata["value"] == "bad");
}

TEST_CASE("server list: sixteen and no more", "[servers]") {
  std::string text = "h0:1";
  for (int n = 1; n < 16; ++n) text += ",h" + std::to_string(n) + ":1";
  CHECK(ParseServerList(text)->size() == 16);
  CHECK(!ParseServerList(text + ",h16:1").ok());
}

}  // namespace
}  // namespace forebay
