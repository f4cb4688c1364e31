#include "common/rpc/endpoints.h"

#include "tests/support/catch.h"

namespace forebay {
namespace {

TEST_CASE("endpoints: callers who failed at once move on by one", "[servers]") {
  Endpoints endpoints({"a:1", "b:1", "c:1"}, "", 1);
  const Endpoint first = endpoints.Current();
  CHECK(first.server == "b:1");
  endpoints.Failed(first.index);
  endpoints.Failed(first.index);
  CHECK(endpoints.Current().server == "c:1");
  endpoints.Failed(endpoints.Current().index);
  CHECK(endpoints.Current().server == "a:1");
}

TEST_CASE("endpoints: a channel is kept for when its server is back", "[servers]") {
  Endpoints endpoints({"a:1", "b:1"}, "", 0);
  const auto channel = endpoints.Current().channel;
  endpoints.Failed(0);
  endpoints.Failed(1);
  CHECK(endpoints.Current().channel == channel);
}

TEST_CASE("endpoints: one server stays the one", "[servers]") {
  Endpoints endpoints({"a:1"}, "", 7);
  endpoints.Failed(0);
  CHECK(endpoints.Current().server == "a:1");
}

}  // namespace
}  // namespace forebay
