#include <cstdlib>

#include "cli/commands/commands.h"
#include "cli/deploy/python_package.h"
#include "cli/session.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

// The package finds server and key by itself, as this program does.
void PassOn(const Arguments& arguments) {
  // No other thread exists yet in the command line.
  if (arguments.Has("server") || arguments.Has("context"))
    unsetenv("FOREBAY_API_URL");  // NOLINT(concurrency-mt-unsafe)
  if (arguments.Has("server"))
    setenv("FOREBAY_SERVER", arguments.Get("server").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  if (arguments.Has("context"))
    setenv("FOREBAY_CONTEXT", arguments.Get("context").c_str(),  // NOLINT(concurrency-mt-unsafe)
           1);
}

absl::Status Serve(Session&, const Arguments& arguments) {
  std::vector<std::string> words = {"flow", "serve", arguments.Get("entrypoint")};
  for (const char* option :
       {"name", "cron", "interval", "rrule", "timezone", "limit", "description", "version"}) {
    if (arguments.Has(option))
      words.push_back(fmt::format("--{}={}", option, arguments.Get(option)));
  }
  for (const std::string& tag : arguments.All("tag")) words.push_back("--tag=" + tag);
  for (const std::string& param : arguments.All("param")) words.push_back("--param=" + param);
  for (const char* flag : {"paused", "keep-schedules"}) {
    if (arguments.Has(flag)) words.push_back(fmt::format("--{}", flag));
  }
  PassOn(arguments);
  return BecomePython(words);
}

std::vector<Option> ServeOptions() {
  return {
      {"-n,--name", "NAME", "Name of the deployment (default)"},
      {"--param", "KEY=VALUE", "Default parameter of its runs; may be repeated", false, true},
      {"--cron", "EXPRESSION", "Run it by itself: five fields, or @daily and its like"},
      {"--interval", "DURATION", "Run it by itself, every so often: 90s, 15m, 1h"},
      {"--rrule", "RULE", "Run it by itself, by a rule of RFC 5545"},
      {"--timezone", "ZONE", "Time zone of the schedule, as in Europe/Berlin (UTC)"},
      {"--paused", "", "The schedule begins paused"},
      {"--keep-schedules", "", "Do not pause the schedule when this ends"},
      {"-l,--limit", "N", "Most runs at once (10)", false, false, true},
      {"-t,--tag", "TAG", "Tag of its runs; may be repeated", false, true},
      {"--description", "TEXT", "What it does, for people (the flow's docstring)"},
      {"--version", "TEXT", "Version, for people"},
  };
}

}  // namespace

std::vector<Command> FlowCommands() {
  return {{"flow serve",
           "Run a Python flow's runs here until Ctrl-C, without a pool of yours or a worker",
           {{"ENTRYPOINT", "file.py:function", true, {}, Completes::kFiles}},
           ServeOptions(),
           false,
           false,
           Serve}};
}

}  // namespace forebay::cli
