#include "common/config/config.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/status.h"
#include "common/config/proto_texts.h"
#include "forebay/config/v1/server_config.pb.h"
#include "forebay/config/v1/worker_config.pb.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

namespace fs = std::filesystem;

class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text) {
    std::string pattern = (fs::temp_directory_path() / "forebay-config-XXXXXX").string();
    close(mkstemp(pattern.data()));
    path_ = pattern;
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { fs::remove(path_); }

  std::string Flag() const { return "--config=" + path_; }

 private:
  std::string path_;
};

ConfigSources Sources(std::vector<std::string> arguments,
                      std::map<std::string, std::string> environment = {}) {
  return {"forebay-worker",     "Runs flows.",          "FOREBAY_WORKER_",
          std::move(arguments), std::move(environment), WorkerConfigProtoText()};
}

config::v1::WorkerConfig Loaded(const ConfigSources& sources) {
  config::v1::WorkerConfig config;
  const auto text = LoadConfig(sources, config);
  INFO(MessageOf(text.status()));
  REQUIRE(text.ok());
  REQUIRE_FALSE(text->has_value());
  return config;
}

absl::Status Refused(const ConfigSources& sources) {
  config::v1::WorkerConfig config;
  const auto text = LoadConfig(sources, config);
  REQUIRE_FALSE(text.ok());
  return text.status();
}

TEST_CASE("Flags win over the environment, the environment over the file") {
  const ConfigFile file(
      "pool: file\nname: file\nserver: file:1\nlimit: 3\nlog_rate_bytes: 5000000000\n");
  const auto config =
      Loaded(Sources({file.Flag(), "--pool=flag"}, {{"FOREBAY_WORKER_POOL", "environment"},
                                                    {"FOREBAY_WORKER_NAME", "environment"},
                                                    {"FOREBAY_SERVER", "not ours"}}));
  CHECK(config.pool() == "flag");
  CHECK(config.name() == "environment");
  CHECK(config.server() == "file:1");
  CHECK(config.limit() == 3);
  CHECK(config.log_rate_bytes() == 5'000'000'000);
}

TEST_CASE("A flag takes its value after an equals sign or as the next word") {
  CHECK(Loaded(Sources({"--pool", "p", "--limit=4"})).pool() == "p");
  CHECK(Loaded(Sources({"--limit", "-1"})).limit() == -1);
  CHECK(Loaded(Sources({"--pool="})).pool().empty());
}

TEST_CASE(
    "A list is a YAML list, a text with commas, or a repeated flag; the higher source replaces it "
    "whole") {
  const ConfigFile list("queues: [a, b]\n");
  const ConfigFile text("queues: a, b\n");
  for (const ConfigFile* file : {&list, &text}) {
    const auto config = Loaded(Sources({file->Flag()}));
    CHECK(std::vector<std::string>(config.queues().begin(), config.queues().end()) ==
          std::vector<std::string>{"a", "b"});
  }
  const auto config = Loaded(
      Sources({list.Flag(), "--queues=x", "--queues", "y,z"}, {{"FOREBAY_WORKER_QUEUES", "e"}}));
  CHECK(std::vector<std::string>(config.queues().begin(), config.queues().end()) ==
        std::vector<std::string>{"x", "y", "z"});
}

TEST_CASE("A bool flag may stand alone") {
  config::v1::ServerConfig config;
  ConfigSources sources = Sources({"--insecure-listen", "--listen=0.0.0.0:1"});
  sources.environment_prefix = "FOREBAY_SERVER_";
  REQUIRE(LoadConfig(sources, config).ok());
  CHECK(config.insecure_listen());
  CHECK(config.listen() == "0.0.0.0:1");
  sources.arguments = {"--insecure-listen=yes"};
  CHECK(ReasonOf(LoadConfig(sources, config).status()) == "INVALID_CONFIG_VALUE");
}

TEST_CASE("An unknown key, flag or variable is named with its nearest") {
  const ConfigFile file("pol: x\n");
  const auto in_file = Refused(Sources({file.Flag()}));
  CHECK(ReasonOf(in_file) == "UNKNOWN_CONFIG_KEY");
  CHECK(std::string(MessageOf(in_file)).find("did you mean `pool`?") != std::string::npos);
  CHECK(DetailOf(Refused(Sources({"--pol=x"})))->metadata.at("nearest") == "--pool");
  CHECK(DetailOf(Refused(Sources({"--key_file=x"})))->metadata.at("nearest") == "--key-file");
  CHECK(DetailOf(Refused(Sources({}, {{"FOREBAY_WORKER_POL", "x"}})))->metadata.at("nearest") ==
        "FOREBAY_WORKER_POOL");
  CHECK(ReasonOf(Refused(Sources({}, {{"FOREBAY_WORKER_pool", "x"}}))) == "UNKNOWN_CONFIG_KEY");
  CHECK(ReasonOf(Refused(Sources({"start"}))) == "UNKNOWN_CONFIG_KEY");
}

TEST_CASE("A value of the wrong type names the field and the value") {
  const auto status = Refused(Sources({"--limit=many"}));
  CHECK(MessageOf(status) == "--limit must be a whole number, not `many`");
  CHECK(DetailOf(status)->metadata.at("field") == "limit");
  CHECK(DetailOf(status)->metadata.at("value") == "many");
  CHECK(MessageOf(Refused(Sources({}, {{"FOREBAY_WORKER_LIMIT", "1.5"}})))
            .starts_with("FOREBAY_WORKER_LIMIT must be"));
  CHECK(ReasonOf(Refused(Sources({"--limit=2147483648"}))) == "INVALID_CONFIG_VALUE");
  for (const char* text :
       {"limit: [1]\n", "limit:\n", "pool: {a: b}\n", "queues: [[a]]\n", "limit: x\n"}) {
    INFO(text);
    const ConfigFile file(text);
    CHECK(ReasonOf(Refused(Sources({file.Flag()}))) == "INVALID_CONFIG_VALUE");
  }
  CHECK(ReasonOf(Refused(Sources({"--pool", "--name=x"}))) == "INVALID_CONFIG_VALUE");
}

TEST_CASE("A file that cannot be read or is no YAML is an error with its name") {
  CHECK(ReasonOf(Refused(Sources({"--config=/nonexistent/x.yaml"}))) == "CONFIG_FILE_UNREADABLE");
  CHECK(ReasonOf(Refused(Sources({"--config", "/"}))) == "CONFIG_FILE_UNREADABLE");
  CHECK(ReasonOf(Refused(Sources({"--config"}))) == "INVALID_CONFIG_VALUE");
  const ConfigFile broken("a: [\n");
  CHECK(ReasonOf(Refused(Sources({broken.Flag()}))) == "INVALID_YAML");
  const ConfigFile list("- a\n");
  CHECK(ReasonOf(Refused(Sources({list.Flag()}))) == "INVALID_YAML");
  const ConfigFile empty("# nothing\n");
  CHECK(Loaded(Sources({empty.Flag()})).pool().empty());
}

TEST_CASE("Help lists every flag with the comment of its field; version names the program") {
  config::v1::WorkerConfig config;
  const auto help = LoadConfig(Sources({"--help", "--nonsense=1"}), config);
  REQUIRE(help.ok());
  REQUIRE(help->has_value());
  for (const char* part :
       {"--key-file <text>", "--limit <a whole number>", "--queues <list of texts>",
        "Pool to serve. Required.", "FOREBAY_WORKER_NAME", "--config FILE"}) {
    INFO(part);
    CHECK((*help)->find(part) != std::string::npos);
  }
  CHECK(**LoadConfig(Sources({"--version"}), config) == "forebay-worker " FOREBAY_VERSION "\n");
}

TEST_CASE("Sources are taken from main's arguments") {
  const char* argv[] = {"program", "--pool=p", nullptr};
  const char* environment[] = {"A=1=2", "EMPTY=", "odd", nullptr};
  const auto sources = ConfigSourcesOf(2, argv, environment);
  CHECK(sources.arguments == std::vector<std::string>{"--pool=p"});
  CHECK(sources.environment == std::map<std::string, std::string>{{"A", "1=2"}, {"EMPTY", ""}});
}

}  // namespace
}  // namespace forebay
