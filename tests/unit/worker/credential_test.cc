#include "worker/session/credential.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/status.h"
#include "common/crypto/token.h"
#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"

namespace forebay::worker {
namespace {

namespace fs = std::filesystem;

class KeyFile {
 public:
  explicit KeyFile(const std::string& text, mode_t mode = 0600) {
    path = (fs::temp_directory_path() / "forebay-key-XXXXXX").string();
    const int fd = mkstemp(path.data());
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    REQUIRE(fchmod(fd, mode) == 0);
    close(fd);
  }
  ~KeyFile() { fs::remove(path); }
  std::string path;
};

}  // namespace

TEST_CASE("key file: a worker key or a join token, blanks around it aside", "[credential]") {
  SeededRandom random(1);
  const TokenKind kind = GENERATE(TokenKind::kWorker, TokenKind::kJoin);
  const std::string key = MintToken(kind, random);
  const KeyFile file("  " + key + "\n\n");
  const auto read = ReadKey(file.path);
  REQUIRE(read.ok());
  CHECK(*read == key);
}

TEST_CASE("key file: one that others can read is refused, with the command that mends it",
          "[credential]") {
  SeededRandom random(1);
  const KeyFile file(MintToken(TokenKind::kWorker, random), GENERATE(0640, 0604, 0644));
  const auto read = ReadKey(file.path);
  CHECK(ReasonOf(read.status()) == "KEY_FILE_UNSAFE");
  CHECK(DetailOf(read.status())->metadata.at("next") == "chmod 0600 " + file.path);
}

TEST_CASE("key file: what is no key of a worker is refused, and not repeated", "[credential]") {
  SeededRandom random(1);
  const std::string users = MintToken(TokenKind::kUser, random);
  for (const std::string& text :
       {std::string(), std::string("hunter2"), std::string("fbw_tooshort"), users}) {
    const KeyFile file(text);
    const auto read = ReadKey(file.path);
    CHECK(ReasonOf(read.status()) == "INVALID_KEY");
    if (!text.empty()) CHECK(read.status().ToString().find(text) == std::string::npos);
  }
}

TEST_CASE("key file: one that is missing is named", "[credential]") {
  const auto read = ReadKey("/nonexistent/key");
  CHECK(absl::IsNotFound(read.status()));
  CHECK(MessageOf(read.status()).find("/nonexistent/key") != std::string::npos);
}

}  // namespace forebay::worker
