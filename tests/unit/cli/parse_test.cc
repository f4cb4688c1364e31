#include "cli/parse.h"

#include <set>

#include "cli/commands/commands.h"
#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;

Invocation Parsed(const Words& words) {
  const auto invocation = ParseWords(AllCommands(), words);
  INFO(MessageOf(invocation.status()));
  REQUIRE(invocation.ok());
  return *invocation;
}

std::string Refused(const Words& words) {
  const auto invocation = ParseWords(AllCommands(), words);
  REQUIRE_FALSE(invocation.ok());
  CHECK(invocation.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(ReasonOf(invocation.status()) == "USAGE");
  return std::string(MessageOf(invocation.status()));
}

TEST_CASE("A command gets its positionals and options, global ones wherever they stand") {
  for (const Words& words :
       {Words{"deployment", "run", "f/d", "--param", "a=1", "--param=b=2", "-w", "-o", "json"},
        Words{"-o", "json", "deployment", "run", "--param", "a=1", "f/d", "--watch", "--param",
              "b=2"},
        Words{"deployment", "run", "--output=json", "--param=a=1", "--param=b=2", "f/d",
              "--watch"}}) {
    const auto invocation = Parsed(words);
    CHECK(invocation.command->path == "deployment run");
    CHECK(invocation.arguments.Get("name") == "f/d");
    CHECK(invocation.arguments.All("param") == Words{"a=1", "b=2"});
    CHECK(invocation.arguments.Has("watch"));
    CHECK(invocation.arguments.Get("output") == "json");
    CHECK_FALSE(invocation.arguments.Has("params"));
  }
}

TEST_CASE("What follows -- is the command's own, options and further dashes included") {
  const auto invocation =
      Parsed({"deploy", "--name", "n", "--", "python3", "x.py", "--name", "y", "--"});
  CHECK(invocation.arguments.Get("name") == "n");
  CHECK(invocation.arguments.command() == Words{"python3", "x.py", "--name", "y", "--"});
  CHECK(Refused({"work-pool", "ls", "--", "x"}) ==
        "`forebay work-pool ls` takes nothing after `--`");
}

TEST_CASE("server start hands all its words on") {
  const auto invocation = Parsed({"server", "start", "--help", "--listen=x", "--"});
  CHECK(invocation.command->path == "server start");
  CHECK(invocation.arguments.command() == Words{"--help", "--listen=x", "--"});
}

TEST_CASE("A value given twice counts the last time; a value may look like an option") {
  CHECK(Parsed({"work-pool", "ls", "-o", "json", "-o", "yaml"}).arguments.Get("output") == "yaml");
  CHECK(Parsed({"deployment", "run", "f/d", "--param=x=--y"}).arguments.Get("param") == "x=--y");
}

TEST_CASE("A repeated positional takes all words that are left, options between them aside") {
  const auto several = Parsed({"flow-run", "cancel", "a", "--grace", "5s", "b", "-o", "json", "c"});
  CHECK(several.arguments.All("run") == Words{"a", "b", "c"});
  CHECK(several.arguments.Get("grace") == "5s");
  CHECK(Parsed({"flow-run", "retry", "--filter", "state=failed"}).arguments.All("run").empty());
  CHECK(Parsed({"flow-run", "retry", "--filter", "state=failed", "x"}).arguments.All("run") ==
        Words{"x"});
}

TEST_CASE("A switch that is given as false is not given") {
  CHECK_FALSE(Parsed({"flow-run", "cancel", "--all", "--yes=false"}).arguments.Has("yes"));
  CHECK(Parsed({"flow-run", "cancel", "--all", "--yes"}).arguments.Has("yes"));
  CHECK(Parsed({"flow-run", "cancel", "--all", "-y"}).arguments.Has("yes"));
}

TEST_CASE("Of an option's several names the first one is its key") {
  CHECK(Parsed({"deploy", "--version", "v1"}).arguments.Get("version") == "v1");
  CHECK(Parsed({"deploy", "--deployment-version", "v1"}).arguments.Get("version") == "v1");
  CHECK(Parsed({"work-queue", "create", "q", "-p", "p", "--limit", "5"})
            .arguments.Get("concurrency-limit") == "5");
  CHECK(Parsed({"work-queue", "set-limit", "q", "--pool", "p", "5"}).arguments.Get("limit") == "5");
}

TEST_CASE("A mistyped word is named with its nearest") {
  CHECK(Refused({"wrk-pool", "ls"}) == "unknown command `wrk-pool`; did you mean `work-pool`?");
  CHECK(Refused({"token", "lst"}) ==
        "unknown command `lst` of token: it has ls, create, revoke; did you mean `ls`?");
  CHECK(Refused({"token"}) == "`forebay token` needs one of ls, create, revoke");
  CHECK(Refused({"work-pool", "ls", "--outptu", "json"}) ==
        "unexpected option `--outptu`; did you mean `--output`?");
  CHECK(Refused({"deployment", "run", "f/d", "--watsh"}) ==
        "unexpected option `--watsh`; did you mean `--watch`?");
  CHECK(Refused({"work-pool", "ls", "extra"}) == "unexpected argument `extra`");
}

TEST_CASE("A missing or wrong value is named") {
  CHECK(Refused({"work-pool", "create"}) == "NAME is required");
  CHECK(Refused({"work-pool", "create", "p", "--type", "proces"}) ==
        "--type must be one of docker, kubernetes, process, scripted, not `proces`; did you mean "
        "`process`?");
  CHECK(Refused({"flow-run", "ls", "--limit", "many"}) ==
        "--limit must be a whole number, not `many`");
  CHECK(Refused({"completion", "tcsh"}).find("must be one of bash, zsh, fish, not `tcsh`") !=
        std::string::npos);
  CHECK(Refused({"work-pool", "ls", "-o"}).find("--output") != std::string::npos);
}

TEST_CASE("Help is text for every command, and no command is the start of help") {
  CHECK(Parsed({}).text.find("work-pool") != std::string::npos);
  CHECK(Parsed({"--help"}).text.find("work-pool") != std::string::npos);
  CHECK(Parsed({"--version"}).text == "forebay " FOREBAY_VERSION "\n");
  for (const Command& command : AllCommands()) {
    if (command.raw) continue;
    INFO(command.path);
    Words words;
    for (size_t begin = 0; begin != std::string::npos;) {
      const size_t space = command.path.find(' ', begin);
      words.push_back(
          command.path.substr(begin, space == std::string::npos ? space : space - begin));
      begin = space == std::string::npos ? space : space + 1;
    }
    words.emplace_back("--help");
    const auto invocation = Parsed(words);
    CHECK(invocation.command == nullptr);
    CHECK(invocation.text.find(command.summary) != std::string::npos);
  }
}

TEST_CASE("The commands are those that the documentation names, each with a summary") {
  std::set<std::string> paths;
  for (const Command& command : AllCommands()) {
    INFO(command.path);
    CHECK(paths.insert(command.path).second);
    CHECK_FALSE(command.summary.empty());
    CHECK(command.run != nullptr);
  }
  for (const char* path : {"dev",
                           "deploy",
                           "deployment run",
                           "deployment ls",
                           "deployment inspect",
                           "deployment delete",
                           "deployment pause",
                           "deployment resume",
                           "deployment update",
                           "schedule create",
                           "schedule ls",
                           "schedule inspect",
                           "schedule update",
                           "schedule pause",
                           "schedule resume",
                           "schedule delete",
                           "concurrency-limit create",
                           "concurrency-limit ls",
                           "concurrency-limit inspect",
                           "concurrency-limit update",
                           "concurrency-limit delete",
                           "flow-run ls",
                           "flow-run inspect",
                           "flow-run logs",
                           "flow-run watch",
                           "flow-run cancel",
                           "flow-run retry",
                           "flow-run pause",
                           "flow-run resume",
                           "flow-run delete",
                           "work-pool create",
                           "work-pool ls",
                           "work-pool inspect",
                           "work-pool update",
                           "work-pool pause",
                           "work-pool resume",
                           "work-pool delete",
                           "work-pool get-default-base-job-template",
                           "work-pool preview",
                           "work-queue create",
                           "work-queue ls",
                           "work-queue inspect",
                           "work-queue update",
                           "work-queue pause",
                           "work-queue resume",
                           "work-queue delete",
                           "work-queue set-limit",
                           "work-queue clear-limit",
                           "worker start",
                           "worker ls",
                           "worker inspect",
                           "worker token",
                           "server start",
                           "server status",
                           "token ls",
                           "token create",
                           "token revoke",
                           "version",
                           "completion",
                           "config show",
                           "config set",
                           "config use",
                           "__complete"}) {
    INFO(path);
    CHECK(paths.contains(path));
  }
}

}  // namespace
}  // namespace forebay::cli
