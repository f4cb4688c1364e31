#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/byte_size.h"
#include "common/job_spec/docker_spec.h"
#include "common/job_spec/final_spec.h"
#include "common/job_spec/image_reference.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

std::string FieldOf(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail.has_value() ? detail->metadata.at("field") : "";
}

TEST_CASE("Sizes are read with their units") {
  CHECK(ParseByteSize("64m") == 64 << 20);
  CHECK(ParseByteSize("1.5g") == 3 * (1 << 29));
  CHECK(ParseByteSize("512") == 512);
  CHECK(ParseByteSize("512b") == 512);
  CHECK(ParseByteSize("10 MiB") == 10 << 20);
  CHECK(ParseByteSize("2kB") == 2048);
  CHECK(ParseByteSize("1T") == int64_t{1} << 40);
  for (const char* bad : {"", "m", "-1m", "1x", "1mm", "1 m m", "0x10", "1e3", "inf", "nan", " 1m",
                          "9999999t", "1ib", "1bb"}) {
    INFO(bad);
    CHECK_FALSE(ParseByteSize(bad).has_value());
  }
  CHECK(ByteSizeOf(Json(7)) == 7);
  CHECK_FALSE(ByteSizeOf(Json(-1)).has_value());
  CHECK(ByteSizeOf(Json(-1), true) == -1);
  CHECK_FALSE(ByteSizeOf(Json(1.5)).has_value());
}

TEST_CASE("An image has one full name, however it is written") {
  const auto full = [](const char* text) { return ParseImageReference(text, "image")->ToString(); };
  const std::string digest = "sha256:" + std::string(64, 'a');
  CHECK(full("python") == "docker.io/library/python:latest");
  CHECK(full("python:3.12") == "docker.io/library/python:3.12");
  CHECK(full("acme/app") == "docker.io/acme/app:latest");
  CHECK(full("index.docker.io/python:3") == "docker.io/library/python:3");
  CHECK(full("localhost/app:1") == "localhost/app:1");
  CHECK(full("LOCALHOST:5000/app:1") == "localhost:5000/app:1");
  CHECK(full(("a.b/c@" + digest).c_str()) == "a.b/c@" + digest);
  CHECK(full(("a.b/c:1@" + digest).c_str()) == "a.b/c:1@" + digest);
  CHECK(ParseImageReference("python", "image")->floating);
  CHECK(ParseImageReference("python:latest", "image")->floating);
  CHECK_FALSE(ParseImageReference("python:3", "image")->floating);
  CHECK_FALSE(ParseImageReference("python@" + digest, "image")->floating);
}

TEST_CASE("What a docker job does not say is what holds without it") {
  const auto spec = FinalSpec("docker", {{"image", "busybox"}, {"mem_limit", "64m"}});
  REQUIRE(spec.ok());
  CHECK((*spec)["image"] == "docker.io/library/busybox:latest");
  CHECK((*spec)["image_pull_policy"] == "Always");
  CHECK((*spec)["network_mode"] == "bridge");
  CHECK((*spec)["privileged"] == false);
  CHECK((*spec)["memswap_limit"] == 128 << 20);
  CHECK((*spec)["shm_size"] == 64 << 20);
  CHECK_FALSE(spec->contains("cpus"));
}

TEST_CASE("A docker job that cannot be launched is refused by its field") {
  const std::pair<Json, const char*> bad[] = {
      {Json::object(), "image"},
      {{{"image", "UPPER"}}, "image"},
      {{{"image", "a"}, {"mem_limit", "5m"}}, "mem_limit"},
      {{{"image", "a"}, {"memswap_limit", "64m"}}, "memswap_limit"},
      {{{"image", "a"}, {"mem_limit", "64m"}, {"memswap_limit", "32m"}}, "memswap_limit"},
      {{{"image", "a"}, {"networks", {"n"}}, {"network_mode", "none"}}, "network_mode"},
      {{{"image", "a"}, {"volumes", {"x"}}}, "volumes.0"},
      {{{"image", "a"}, {"cpus", 0}}, "cpus"},
      {{{"image", "a"}, {"imge", "b"}}, "imge"},
      {{{"image", "a"}, {"image_pull_policy", "never"}}, "image_pull_policy"},
  };
  for (const auto& [configuration, field] : bad) {
    INFO(DumpJson(configuration));
    const auto refused = TypeDockerSpec(configuration).status();
    CHECK(ReasonOf(refused) == "INVALID_JOB");
    CHECK(FieldOf(refused) == field);
  }
}

}  // namespace
}  // namespace forebay
