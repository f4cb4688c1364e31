#include "cli/commands/complete.h"

#include <algorithm>
#include <optional>
#include <set>

#include "cli/names.h"
#include "cli/parse.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "forebay/v1/concurrency_limit.pb.h"
#include "forebay/v1/deployment.pb.h"
#include "forebay/v1/fleet.pb.h"
#include "forebay/v1/flow_run.pb.h"
#include "forebay/v1/schedule.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;

constexpr absl::Duration kPatience = absl::Seconds(1);
constexpr int kMostNames = 200;

template <typename Response, typename Request, typename Items, typename Name>
Words LiveNames(Client& client, Request request, Items items, Name name) {
  request.set_page_size(kMostNames);
  Words names;
  const auto page = client.Call<Response>(request, kPatience);
  if (!page.ok()) return names;
  for (const auto& item : items(*page)) names.push_back(name(item));
  return names;
}

Words NamesOnServer(Client& client, Completes what) {
  const auto last = [](const auto& item) { return LastSegment(item.name()); };
  switch (what) {
    case Completes::kPools:
      return LiveNames<v1::ListWorkPoolsResponse>(
          client, v1::ListWorkPoolsRequest(), [](const auto& page) { return page.work_pools(); },
          last);
    case Completes::kRuns:
      return LiveNames<v1::ListFlowRunsResponse>(
          client, v1::ListFlowRunsRequest(), [](const auto& page) { return page.flow_runs(); },
          last);
    case Completes::kWorkers:
      return LiveNames<v1::ListWorkersResponse>(
          client, v1::ListWorkersRequest(), [](const auto& page) { return page.workers(); }, last);
    case Completes::kDeployments:
      return LiveNames<v1::ListDeploymentsResponse>(
          client, v1::ListDeploymentsRequest(), [](const auto& page) { return page.deployments(); },
          [](const auto& item) { return DeploymentShortName(item.name()); });
    case Completes::kSchedules:
      return LiveNames<v1::ListSchedulesResponse>(
          client, v1::ListSchedulesRequest(), [](const auto& page) { return page.schedules(); },
          [](const auto& item) { return ScheduleShortName(item.name()); });
    case Completes::kLimits:
      return LiveNames<v1::ListConcurrencyLimitsResponse>(
          client, v1::ListConcurrencyLimitsRequest(),
          [](const auto& page) { return page.concurrency_limits(); }, last);
    default:
      return {};
  }
}

Words ValuesOf(Session& session, Completes what) {
  if (what == Completes::kNothing) return {};
  if (what == Completes::kFiles) return {kFilesCandidate};
  if (what == Completes::kContexts) {
    Words names;
    const auto settings = LoadSettings(session.config_directory());
    if (!settings.ok()) return names;
    for (const auto& [name, profile] : settings->contexts) names.push_back(name);
    return names;
  }
  const auto client = session.client();
  return client.ok() ? NamesOnServer(**client, what) : Words();
}

template <typename Described>
Words ValuesOf(Session& session, const Described& described) {
  return described.choices.empty() ? ValuesOf(session, described.completes) : described.choices;
}

bool Spells(const Option& option, std::string_view word) {
  for (const std::string_view name : Split(option.names, ',')) {
    if (name == word) return true;
  }
  return false;
}

// The next words of the commands that begin with `typed`.
Words NextPathWords(const std::vector<Command>& commands, const std::string& typed) {
  std::set<std::string> next;
  for (const Command& command : commands) {
    if (command.hidden || !command.path.starts_with(typed)) continue;
    const std::string rest = command.path.substr(typed.size());
    next.insert(rest.substr(0, rest.find(' ')));
  }
  return {next.begin(), next.end()};
}

const Command* Find(const std::vector<Command>& commands, const std::string& path) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& c) { return c.path == path; });
  return found == commands.end() ? nullptr : &*found;
}

std::vector<Option> OptionsOf(const Command& command) {
  std::vector<Option> options = command.options;
  options.insert(options.end(), GlobalOptions().begin(), GlobalOptions().end());
  return options;
}

const Option* FindOption(const std::vector<Option>& options, std::string_view word) {
  for (const Option& option : options) {
    if (Spells(option, word)) return &option;
  }
  return nullptr;
}

// `words` are those between the command and the one to complete.
Words CompleteArguments(Session& session, const Command& command, const Words& words,
                        std::string_view last) {
  const auto options = OptionsOf(command);
  size_t positional = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const Option* option = FindOption(options, words[i]);
    const bool takes_value = option != nullptr && !option->value.empty();
    if (takes_value && i + 1 == words.size()) return ValuesOf(session, *option);
    if (takes_value) ++i;
    if (option == nullptr && !words[i].starts_with('-')) ++positional;
  }
  if (last.starts_with('-')) {
    Words names = {"--help"};
    for (const Option& option : options) names.push_back(LongName(option));
    return names;
  }
  const auto& positionals = command.positionals;
  if (positional < positionals.size()) return ValuesOf(session, positionals[positional]);
  if (!positionals.empty() && positionals.back().repeated)
    return ValuesOf(session, positionals.back());
  return {};
}

}  // namespace

std::vector<std::string> Candidates(Session& session, const std::vector<Command>& commands,
                                    const Words& words) {
  const std::string last = words.empty() ? "" : words.back();
  const size_t before = words.empty() ? 0 : words.size() - 1;
  const auto end = words.begin() + static_cast<std::ptrdiff_t>(before);
  if (std::find(words.begin(), end, "--") != end) return {kFilesCandidate};
  Words all;
  std::string path;
  const Command* command = nullptr;
  size_t used = 0;
  while (used < before && command == nullptr) {
    path += words[used++];
    command = Find(commands, path);
    if (command == nullptr) path += ' ';
  }
  if (command == nullptr) {
    all = NextPathWords(commands, path);
  } else {
    all = CompleteArguments(session, *command,
                            {words.begin() + static_cast<std::ptrdiff_t>(used), end}, last);
  }
  Words matching;
  for (std::string& candidate : all) {
    if (candidate == kFilesCandidate || candidate.starts_with(last))
      matching.push_back(std::move(candidate));
  }
  return matching;
}

}  // namespace forebay::cli
