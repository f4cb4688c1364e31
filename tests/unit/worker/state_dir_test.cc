#include "worker/session/state_dir.h"

#include <cstdlib>
#include <filesystem>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::worker {
namespace {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    std::string path = (fs::temp_directory_path() / "forebay-state-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    base = path + "/pool";
  }
  ~Scratch() { fs::remove_all(fs::path(base).parent_path()); }
  std::string base;
};

}  // namespace

TEST_CASE("state directory: one worker at a time, and the refusal names the option",
          "[state_dir]") {
  const Scratch scratch;
  auto first = StateDir::Open(scratch.base, "here:1");
  REQUIRE(first.ok());
  const auto second = StateDir::Open(scratch.base, "here:1");
  CHECK(ReasonOf(second.status()) == "LOCKED");
  CHECK(MessageOf(second.status()).find("--state-dir") != std::string::npos);
  CHECK(DetailOf(second.status())->metadata.at("value") == scratch.base);
}

TEST_CASE("state directory: workers of one pool take the next free one", "[state_dir]") {
  const Scratch scratch;
  const auto first = StateDir::OpenFirst(scratch.base, "here:1");
  const auto second = StateDir::OpenFirst(scratch.base, "here:1");
  REQUIRE((first.ok() && second.ok()));
  CHECK(first->path() == scratch.base);
  CHECK(second->path() == scratch.base + "-2");
}

TEST_CASE("state directory: runs of another server are left alone", "[state_dir]") {
  const Scratch scratch;
  { REQUIRE(StateDir::OpenFirst(scratch.base, "here:1").ok()); }
  fs::create_directories(scratch.base + "/runs/forebay-x-1");
  const auto other = StateDir::OpenFirst(scratch.base, "there:1");
  REQUIRE(other.ok());
  CHECK(other->path() == scratch.base + "-2");
  const auto same = StateDir::OpenFirst(scratch.base, "here:1");
  REQUIRE(same.ok());
  CHECK(same->path() == scratch.base);
}

TEST_CASE("state directory: remembers who had it last", "[state_dir]") {
  const Scratch scratch;
  {
    const auto first = StateDir::Open(scratch.base, "here:1");
    REQUIRE(first.ok());
    CHECK(first->predecessor().empty());
    REQUIRE(first->Remember("worker-7").ok());
  }
  const auto second = StateDir::Open(scratch.base, "here:1");
  REQUIRE(second.ok());
  CHECK(second->predecessor() == "worker-7");
}

}  // namespace forebay::worker
