#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

constexpr char kFooter[] =
    "All commands take -o, --time, --color, --server and --context too: forebay --help";
constexpr char kCommandFooter[] =
    "Words after -- are the program to run and its arguments.\n"
    "All commands take -o, --time, --color, --server and --context too: forebay --help";
constexpr char kAbout[] = "Work pools and workers: each run on infrastructure of its own.";

const std::map<std::string, std::string>& NounSummaries() {
  static const std::map<std::string, std::string> summaries = {
      {"work-pool", "Where runs wait for workers: create, list, change"},
      {"work-pool policy", "What may be launched in a pool: see, set, check"},
      {"template", "Try base job templates without a server"},
      {"work-queue", "Ordered lanes of a pool: create, list, change"},
      {"worker", "Start and see workers"},
      {"flow", "Python flows: serve their runs from here"},
      {"deployment", "Run, list, change, pause and delete deployments"},
      {"flow-run", "See, follow, cancel, pause, retry and delete runs"},
      {"schedule", "When deployments run by themselves: create, list, change"},
      {"concurrency-limit", "Slots that several deployments share: create, list, change"},
      {"server", "Start and see the server"},
      {"token", "Keys for people, services and workers"},
      {"config", "Contexts: which server to ask, with which key"},
  };
  return summaries;
}

Error Usage(std::string_view field, std::string_view value) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE").Field(field, value);
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

std::string KeyOf(const Positional& positional) { return ToLower(positional.name); }
std::string KeyOf(const Option& option) { return LongName(option).substr(2); }

// One command's parser with the places that its values go to.
class Parser {
 public:
  explicit Parser(const std::vector<Command>& commands) : app_(kAbout, "forebay") {
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("--version", "forebay " FOREBAY_VERSION);
    app_.require_subcommand(1);
    app_.get_formatter()->column_width(34);
    for (const Option& option : GlobalOptions()) AddOption(app_, option, globals_);
    for (const Command& command : commands) AddCommand(command);
  }

  absl::StatusOr<Invocation> Parse(std::vector<std::string> words) {
    try {
      std::reverse(words.begin(), words.end());
      app_.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
      return Invocation{nullptr, {}, app_.help()};
    } catch (const CLI::CallForVersion&) {
      return Invocation{nullptr, {}, "forebay " FOREBAY_VERSION "\n"};
    } catch (const CLI::ExtrasError&) {
      return UnexpectedWord();
    } catch (const CLI::Error& error) {
      return Usage("arguments", "").Next(HelpCommand()).Says("{}", error.what());
    }
    return Collect();
  }

 private:
  struct Slot {
    std::string key;
    std::vector<std::string> choices;
    bool number;
    bool is_switch;
    CLI::Option* option;
  };
  using Slots = std::deque<Slot>;
  struct Entry {
    const Command* command;
    CLI::App* app;
    Slots slots;
  };

  static void AddOption(CLI::App& app, const Option& option, Slots& slots) {
    slots.push_back({KeyOf(option), option.choices, option.number, option.value.empty(), nullptr});
    CLI::Option*& made = slots.back().option;
    if (option.value.empty()) {
      made = app.add_flag(option.names, option.help);
      return;
    }
    made = app.add_option(option.names, option.help)
               ->type_name(ShownValue(option))
               ->required(option.required);
    if (option.repeated) {
      made->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
    } else {
      made->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }

  static std::string ShownValue(const Option& option) {
    return option.choices.empty() ? option.value : Join(option.choices, "|");
  }

  void AddCommand(const Command& command) {
    const size_t space = command.path.rfind(' ');
    CLI::App* parent = &app_;
    if (space != std::string::npos) parent = &Noun(command.path.substr(0, space));
    const std::string verb =
        space == std::string::npos ? command.path : command.path.substr(space + 1);
    CLI::App* app = parent->add_subcommand(verb, command.summary)->fallthrough();
    if (command.hidden) app->group("");
    entries_.push_back({&command, app, {}});
    Slots& slots = entries_.back().slots;
    for (const Positional& positional : command.positionals) {
      slots.push_back({KeyOf(positional), positional.choices, false, false, nullptr});
      CLI::Option* made = app->add_option(positional.name, positional.help)->type_name("");
      if (positional.repeated) {
        made->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
      } else {
        made->expected(1);
      }
      slots.back().option = made->required(positional.required);
    }
    for (const Option& option : command.options) AddOption(*app, option, slots);
    app->footer(command.takes_command ? kCommandFooter : kFooter);
  }

  // "work-pool", or "work-pool policy" below it.
  CLI::App& Noun(const std::string& path) {
    if (const auto known = nouns_.find(path); known != nouns_.end()) return *known->second;
    const size_t space = path.rfind(' ');
    CLI::App& parent = space == std::string::npos ? app_ : Noun(path.substr(0, space));
    const auto summary = NounSummaries().find(path);
    CLI::App* noun =
        parent.add_subcommand(space == std::string::npos ? path : path.substr(space + 1),
                              summary == NounSummaries().end() ? "" : summary->second);
    noun->require_subcommand(1)->fallthrough();
    nouns_[path] = noun;
    return *noun;
  }

  std::string HelpCommand() const {
    std::string path = "forebay";
    for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      path += ' ' + app->get_name();
    }
    return path + " --help";
  }

  const Entry* Chosen() const {
    for (const Entry& entry : entries_) {
      if (entry.app->parsed()) return &entry;
    }
    return nullptr;
  }

  absl::Status UnexpectedWord() const {
    const auto rest = app_.remaining(true);
    const std::string word = rest.empty() ? "" : rest.front();
    std::vector<std::string> known = {"--help"};
    const auto add_slots = [&](const Slots& slots) {
      for (const Slot& slot : slots) {
        for (const std::string& name : slot.option->get_lnames()) known.push_back("--" + name);
      }
    };
    add_slots(globals_);
    if (const Entry* chosen = Chosen()) add_slots(chosen->slots);
    const std::string bare = word.substr(0, word.find('='));
    return Usage("arguments", word)
        .Next(HelpCommand())
        .Says("unexpected {} `{}`{}", word.starts_with('-') ? "option" : "argument", word,
              word.starts_with('-') ? DidYouMean(bare, known) : "");
  }

  static absl::Status CheckValue(const Slot& slot, const std::string& value) {
    if (slot.number && !ParseInt(value).has_value()) {
      return Usage(slot.key, value).Says("--{} must be a whole number, not `{}`", slot.key, value);
    }
    const auto& choices = slot.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) {
      return absl::OkStatus();
    }
    return Usage(slot.key, value)
        .With("allowed", Join(choices, ", "))
        .With("nearest", NearestName(value, choices))
        .Says("{} must be one of {}, not `{}`{}", slot.option->get_name(), Join(choices, ", "),
              value, DidYouMean(value, choices));
  }

  static absl::Status CollectSlots(const Slots& slots, Arguments& arguments) {
    for (const Slot& slot : slots) {
      for (const std::string& value : slot.option->results()) {
        // `--yes=false` must not mean yes.
        if (slot.is_switch && value == "false") continue;
        if (!slot.is_switch) RETURN_IF_ERROR(CheckValue(slot, value));
        arguments.Add(slot.key, value);
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Invocation> Collect() const {
    const Entry* chosen = Chosen();
    if (chosen == nullptr)
      return Usage("arguments", "").Next("forebay --help").Says("a command is missing");
    Invocation invocation;
    invocation.command = chosen->command;
    RETURN_IF_ERROR(CollectSlots(globals_, invocation.arguments));
    RETURN_IF_ERROR(CollectSlots(chosen->slots, invocation.arguments));
    return invocation;
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> nouns_;
  std::deque<Entry> entries_;
  Slots globals_;
};

// What may come behind the words of `prefix`, which ends with a blank unless it is empty.
std::vector<std::string> NextWords(const std::vector<Command>& commands,
                                   const std::string& prefix) {
  std::vector<std::string> next;
  for (const Command& command : commands) {
    if (command.hidden || !command.path.starts_with(prefix)) continue;
    std::string word = command.path.substr(prefix.size());
    word = word.substr(0, word.find(' '));
    if (std::find(next.begin(), next.end(), word) == next.end()) next.push_back(std::move(word));
  }
  return next;
}

bool IsCommand(const std::vector<Command>& commands, std::string_view path) {
  return std::any_of(commands.begin(), commands.end(),
                     [&](const Command& command) { return command.path == path; });
}

absl::Status UnknownWord(const std::string& word, const std::string& path,
                         const std::vector<std::string>& known) {
  if (path.empty()) {
    return Usage("command", word)
        .Next("forebay --help")
        .Says("unknown command `{}`{}", word, DidYouMean(word, known));
  }
  return Usage("command", word)
      .Next(fmt::format("forebay {} --help", path))
      .Says("unknown command `{}` of {}: it has {}{}", word, path, Join(known, ", "),
            DidYouMean(word, known));
}

// The library's own complaint about a mistyped noun or verb names neither the word nor the nearest.
absl::Status CheckCommandWords(const std::vector<Command>& commands,
                               const std::vector<std::string>& words) {
  std::string path;
  for (size_t at = 0; !IsCommand(commands, path); ++at) {
    const auto known = NextWords(commands, path.empty() ? "" : path + " ");
    if (at == words.size() && !path.empty()) {
      return Usage("command", words.back())
          .Next(fmt::format("forebay {} --help", path))
          .Says("`forebay {}` needs one of {}", path, Join(known, ", "));
    }
    if (at == words.size() || words[at].starts_with('-')) return absl::OkStatus();
    const std::string longer = path.empty() ? words[at] : path + ' ' + words[at];
    const bool hidden = IsCommand(commands, longer);
    if (!hidden && std::find(known.begin(), known.end(), words[at]) == known.end()) {
      return UnknownWord(words[at], path, known);
    }
    path = longer;
  }
  return absl::OkStatus();
}

const Command* FindRaw(const std::vector<Command>& commands,
                       const std::vector<std::string>& words) {
  if (words.size() < 2) return nullptr;
  for (const Command& command : commands) {
    if (command.raw && command.path == fmt::format("{} {}", words[0], words[1])) return &command;
  }
  return nullptr;
}

}  // namespace

std::optional<int64_t> Arguments::Number(std::string_view name) const {
  return Has(name) ? ParseInt(Get(name)) : std::nullopt;
}

const std::vector<Option>& GlobalOptions() {
  static const std::vector<Option> options = {
      {"-o,--output",
       "FORMAT",
       "How to print data",
       false,
       false,
       false,
       {"table", "wide", "json", "yaml", "name", "csv"}},
      {"--time", "STYLE", "How to print times", false, false, false, {"relative", "iso"}},
      {"--color", "WHEN", "Whether to color", false, false, false, {"auto", "always", "never"}},
      {"--server", "HOST:PORT", "Server to ask, or several with commas between (FOREBAY_SERVER)"},
      {"--context",
       "NAME",
       "Context of the configuration to use (FOREBAY_CONTEXT)",
       false,
       false,
       false,
       {},
       Completes::kContexts},
  };
  return options;
}

std::string LongName(const Option& option) {
  const size_t begin = option.names.find("--");
  return option.names.substr(begin, option.names.find(',', begin) - begin);
}

absl::StatusOr<Invocation> ParseWords(const std::vector<Command>& commands,
                                      const std::vector<std::string>& words) {
  if (const Command* raw = FindRaw(commands, words)) {
    Invocation invocation;
    invocation.command = raw;
    invocation.arguments.SetCommand({words.begin() + 2, words.end()});
    return invocation;
  }
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const std::vector<std::string> own(words.begin(), dashes);
  std::vector<std::string> rest(dashes == words.end() ? dashes : dashes + 1, words.end());
  RETURN_IF_ERROR(CheckCommandWords(commands, own));
  Parser parser(commands);
  if (words.empty()) return parser.Parse({"--help"});
  ASSIGN_OR_RETURN(Invocation invocation, parser.Parse(own));
  if (invocation.command != nullptr && dashes != words.end() &&
      !invocation.command->takes_command) {
    return Usage("arguments", "--")
        .Says("`forebay {}` takes nothing after `--`", invocation.command->path);
  }
  invocation.arguments.SetCommand(std::move(rest));
  return invocation;
}

}  // namespace forebay::cli
