#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/parse.h"
#include "cli/session.h"
#include "common/base/clock.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// https://no-color.org: any value but the empty one.
bool WantsColor(const std::string& when, int fd) {
  if (when == "always" || when == "never") return when == "always";
  return isatty(fd) == 1 && Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
}

int TerminalWidth() {
  winsize size = {};
  if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

OutputOptions OutputOptionsOf(const Arguments& arguments) {
  static const std::map<std::string, OutputFormat> formats = {
      {"table", OutputFormat::kTable}, {"wide", OutputFormat::kWide}, {"json", OutputFormat::kJson},
      {"yaml", OutputFormat::kYaml},   {"name", OutputFormat::kName}, {"csv", OutputFormat::kCsv},
  };
  OutputOptions options;
  if (arguments.Has("output")) options.format = formats.at(arguments.Get("output"));
  if (arguments.Get("time") == "iso") options.time = TimeStyle::kIso;
  options.color_out = WantsColor(arguments.Get("color"), STDOUT_FILENO);
  options.color_err = WantsColor(arguments.Get("color"), STDERR_FILENO);
  options.width = TerminalWidth();
  return options;
}

SessionOptions SessionOptionsOf(const Arguments& arguments) {
  SessionOptions options;
  options.server =
      arguments.Has("server") ? arguments.Get("server") : Environment("FOREBAY_SERVER");
  options.context =
      arguments.Has("context") ? arguments.Get("context") : Environment("FOREBAY_CONTEXT");
  options.api_key = Environment("FOREBAY_API_KEY");
  options.config_directory = ConfigDirectory();
  options.output = OutputOptionsOf(arguments);
  return options;
}

int Fail(const absl::Status& status, bool color) {
  std::cout.flush();
  std::cerr << DescribeFailure(status, color) << std::flush;
  return ExitCodeOf(status);
}

int Main(const std::vector<std::string>& words) {
  const auto invocation = ParseWords(AllCommands(), words);
  if (!invocation.ok()) return Fail(invocation.status(), WantsColor("auto", STDERR_FILENO));
  if (invocation->command == nullptr) {
    std::cout << invocation->text << std::flush;
    return kExitOk;
  }
  const SessionOptions options = SessionOptionsOf(invocation->arguments);
  Session session(options, std::cout, std::cerr, SystemClock());
  const absl::Status status = invocation->command->run(session, invocation->arguments);
  if (!status.ok()) return Fail(status, options.output.color_err);
  std::cout.flush();
  return std::cout.good() ? kExitOk : kExitError;
}

}  // namespace
}  // namespace forebay::cli

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  try {
    return forebay::cli::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    // What reaches this is the file system's: a current directory that is gone, a path that cannot
    // be read.
    std::cerr << "error: " << error.what() << std::endl;
    return forebay::kExitError;
  }
}
