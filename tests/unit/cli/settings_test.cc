#include "cli/settings.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/private_file.h"
#include "cli/session.h"
#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "forebay-cli-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  void Write(std::string_view text) const { std::ofstream(path_ / "config.yaml") << text; }

 private:
  fs::path path_;
};

mode_t ModeOf(const fs::path& path) {
  struct stat status = {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("Settings are kept for the user alone and read back as they were") {
  const Directory directory;
  const fs::path config = directory.path() / "a" / "forebay";
  Settings settings;
  settings.current = "dev";
  settings.contexts["dev"] = {"127.0.0.1:7070", "", "/keys/dev.key", ""};
  settings.contexts["prod"] = {"prod:443", "fbk_x", "", "/ca.pem"};
  REQUIRE(SaveSettings(config, settings).ok());
  CHECK(ModeOf(config / "config.yaml") == 0600);
  CHECK(ModeOf(config) == 0700);
  CHECK(*LoadSettings(config) == settings);
  settings.current = "prod";
  REQUIRE(SaveSettings(config, settings).ok());
  CHECK(*LoadSettings(config) == settings);
  CHECK(std::distance(fs::directory_iterator(config), fs::directory_iterator()) == 1);
}

TEST_CASE("Without a file there are no contexts") {
  const Directory directory;
  CHECK(*LoadSettings(directory.path()) == Settings());
}

TEST_CASE("A file that is not ours is refused with the nearest key") {
  const Directory directory;
  directory.Write("contexts:\n  dev:\n    sever: x\n");
  CHECK(std::string(MessageOf(LoadSettings(directory.path()).status()))
            .find("did you mean `server`?") != std::string::npos);
  for (const char* text : {"curent: x\n", "current: [x]\n", "contexts: 5\n", "contexts: {a: 5}\n",
                           "[x]\n", "a: [\n", "contexts: {a: {server: 5}}\n"}) {
    INFO(text);
    directory.Write(text);
    CHECK(LoadSettings(directory.path()).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("The server is the one named, else the context's, else the default") {
  Settings settings;
  settings.current = "dev";
  settings.contexts["dev"] = {"dev:1", "dev-key", "", ""};
  settings.contexts["prod"] = {"prod:1", "prod-key", "", ""};
  SessionOptions options;
  CHECK(ResolveProfile(options, settings)->server == "dev:1");
  CHECK(ResolveProfile(options, settings)->api_key == "dev-key");
  CHECK(ResolveProfile(options, Settings())->server == "127.0.0.1:7070");
  options.context = "prod";
  CHECK(ResolveProfile(options, settings)->api_key == "prod-key");
  options.api_key = "mine";
  CHECK(ResolveProfile(options, settings)->api_key == "mine");
  options.context = "prd";
  const auto unknown = ResolveProfile(options, settings).status();
  CHECK(ReasonOf(unknown) == "CONTEXT_NOT_FOUND");
  CHECK(DetailOf(unknown)->metadata.at("nearest") == "prod");
}

TEST_CASE("A key is never shown to a server that it was not made for") {
  Settings settings;
  settings.current = "dev";
  settings.contexts["dev"] = {"dev:1", "dev-key", "", ""};
  SessionOptions options;
  options.server = "elsewhere:1";
  CHECK(ResolveProfile(options, settings)->api_key.empty());
  options.server = "dev:1";
  CHECK(ResolveProfile(options, settings)->api_key == "dev-key");
}

TEST_CASE("A key file is read without its line end; a missing one is named") {
  const Directory directory;
  REQUIRE(WritePrivateFile(directory.path() / "keys" / "x.key", "fbk_secret\n").ok());
  CHECK(ModeOf(directory.path() / "keys" / "x.key") == 0600);
  Settings settings;
  settings.current = "dev";
  settings.contexts["dev"] = {"dev:1", "", (directory.path() / "keys" / "x.key").string(), ""};
  CHECK(ResolveProfile(SessionOptions(), settings)->api_key == "fbk_secret");
  settings.contexts["dev"].api_key_file = "/nonexistent/key";
  CHECK(ReasonOf(ResolveProfile(SessionOptions(), settings).status()) == "FILE_NOT_FOUND");
}

}  // namespace
}  // namespace forebay::cli
