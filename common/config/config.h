#pragma once

// Configuration of a program: any protobuf message, read from a YAML file, then from the
// environment, then from flags; the later source wins. Called once from main, before threads.
//
// The message is the only description: field `ready_file` is the key `ready_file` in the file, the
// variable <prefix>READY_FILE and the flag --ready-file. Fields may be string, bool, int32, int64,
// double or repeated string (a comma-separated text, a YAML list, or the flag given several times;
// each source replaces the one before whole). A bool flag may stand without a value. Unknown keys,
// variables with the prefix and flags are errors that name the nearest. `--config FILE` names the
// file.

#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace forebay {

struct ConfigSources {
  // For --help: the program's name and one sentence.
  std::string program;
  std::string summary;
  // E.g. "FOREBAY_SERVER_".
  std::string environment_prefix;
  // Without argv[0].
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  // Text of the .proto file that declares the message; its comments explain the fields in --help.
  // May be empty.
  std::string_view proto_text;
};

// From main's arguments and the process environment.
ConfigSources ConfigSourcesOf(int argc, const char* const* argv, const char* const* environment);

// Fills `config`. Text to print instead of running when --help or --version was asked for, else
// nothing. INVALID_ARGUMENT: UNKNOWN_CONFIG_KEY (`field`, `nearest`), INVALID_CONFIG_VALUE
// (`field`, `value`), INVALID_YAML; NOT_FOUND (CONFIG_FILE_UNREADABLE). On an error `config` is
// partly filled: do not use it.
absl::StatusOr<std::optional<std::string>> LoadConfig(const ConfigSources& sources,
                                                      google::protobuf::Message& config);

}  // namespace forebay
