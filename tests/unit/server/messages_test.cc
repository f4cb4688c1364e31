#include "server/api/messages.h"

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

TEST_CASE("names: full and short forms mean the same", "[api]") {
  CHECK(*PoolNameOf("workPools/my-pool", "name") == "my-pool");
  CHECK(*PoolNameOf("my-pool", "name") == "my-pool");
  CHECK(QueueNameOf("workPools/p/queues/q", "name")->queue == "q");
  CHECK(QueueNameOf("p/q", "name")->pool == "p");
  const auto deployment = DeploymentNameOf("repo_stats/nightly", "name");
  CHECK(deployment->flow == "repo-stats");
  CHECK(DeploymentNameOf("teams/default/flows/f/deployments/d", "name")->deployment == "d");
}

TEST_CASE("names: what is not a name is refused", "[api]") {
  for (const char* bad :
       {"", "workPools/", "a b", "UPPER", "-x", "a/b/c", "../x", "workPools/a/b"}) {
    INFO(bad);
    CHECK_FALSE(PoolNameOf(bad, "name").ok());
  }
  CHECK_FALSE(DeploymentNameOf("only-one", "name").ok());
  CHECK_FALSE(IdOf("flowRuns/not-a-uuid", "flowRuns", "name").ok());
}

TEST_CASE("page tokens: come back as they were, and nothing else does", "[api]") {
  CHECK(**ReadPageToken(MakePageToken("a/b c")) == "a/b c");
  CHECK_FALSE(ReadPageToken("")->has_value());
  CHECK_FALSE(ReadPageToken("p1zz").ok());
  CHECK_FALSE(ReadPageToken("garbage").ok());
  CHECK(*PageSize(0) == 100);
  CHECK(*PageSize(5000) == 1000);
  CHECK_FALSE(PageSize(-1).ok());
}

TEST_CASE("times: survive the wire to the microsecond, before 1970 too", "[api]") {
  for (const int64_t micros : {int64_t{0}, int64_t{1'700'000'000'123'456}, int64_t{-1'500'000}}) {
    google::protobuf::Timestamp proto;
    ToProto(absl::FromUnixMicros(micros), proto);
    CHECK(proto.nanos() >= 0);
    CHECK(absl::ToUnixMicros(FromProto(proto)) == micros);
  }
}

}  // namespace
}  // namespace forebay::server
