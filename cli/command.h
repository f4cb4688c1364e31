#pragma once

// What a command of `forebay` is: a description that parsing, help and shell completion share, and
// a function.
//
// Files in cli/commands/ make these, one file a noun; cli/parse.h turns the words of the user into
// a call.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace forebay::cli {

class Session;

// What shell completion offers for a value.
enum class Completes {
  kNothing,
  kFiles,
  kPools,
  kDeployments,
  kSchedules,
  kLimits,
  kRuns,
  kWorkers,
  kContexts,
};

struct Option {
  // As typed: "--pool" or "-q,--queue"; of several long names the first one counts.
  std::string names;
  // Shown in help for the value, e.g. "NAME"; empty: a switch without a value.
  std::string value;
  std::string help;
  bool required = false;
  bool repeated = false;
  // Whole number.
  bool number = false;
  // If not empty, the only values.
  std::vector<std::string> choices = {};
  Completes completes = Completes::kNothing;
};

struct Positional {
  std::string name;
  std::string help;
  bool required = true;
  std::vector<std::string> choices = {};
  Completes completes = Completes::kNothing;
  // Takes all words that are left; only the last one of a command may.
  bool repeated = false;
};

// The user's words after parsing.
class Arguments {
 public:
  // The option or positional was given. Options are named without dashes: "queue".
  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  // The last value, or empty.
  std::string Get(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second.back();
  }
  std::vector<std::string> All(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>() : found->second;
  }
  // Parsing made sure that it is a number.
  std::optional<int64_t> Number(std::string_view name) const;
  // The words after `--`.
  const std::vector<std::string>& command() const { return command_; }

  void Add(const std::string& name, std::string value) {
    values_[name].push_back(std::move(value));
  }
  void SetCommand(std::vector<std::string> words) { command_ = std::move(words); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> command_;
};

struct Command {
  // "work-pool create".
  std::string path;
  std::string summary;
  std::vector<Positional> positionals = {};
  std::vector<Option> options = {};
  // Takes words after `--`.
  bool takes_command = false;
  // Not shown.
  bool hidden = false;
  std::function<absl::Status(Session&, const Arguments&)> run;
  // All words after the path are another program's, options included: they stand in
  // Arguments::command().
  bool raw = false;
};

}  // namespace forebay::cli
