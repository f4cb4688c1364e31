#include "forebay/v1/concurrency_limit.pb.h"

#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/values.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

// The server counts waiting runs no further.
constexpr int64_t kMostCounted = 10'000;

std::string UseText(const v1::ConcurrencyLimit& limit) {
  return fmt::format("{:.4g} of {}", limit.slots_in_use(), limit.slots());
}

std::string DecayText(const v1::ConcurrencyLimit& limit) {
  return limit.has_decay_per_second() ? fmt::format("{:.6g}/s", limit.decay_per_second()) : "";
}

std::string WaitingText(const v1::ConcurrencyLimit& limit) {
  const auto count = std::to_string(limit.waiting_runs());
  return limit.waiting_runs() < kMostCounted ? count : "at least " + count;
}

Card CardOf(Session& session, const v1::ConcurrencyLimit& limit) {
  const std::string name = LastSegment(limit.name());
  return {name,
          {{"Name", name},
           {"Description", limit.description()},
           {"In use", UseText(limit)},
           {"Slots", std::to_string(limit.slots())},
           {"Come back at", DecayText(limit)},
           {"Waiting runs", WaitingText(limit)},
           {"Deployments", std::to_string(limit.deployments())},
           {"Created", When(session, limit.create_time())},
           {"Updated", When(session, limit.update_time())},
           {"Creator", limit.creator()},
           {"UID", limit.uid()}},
          ToJson(limit)};
}

absl::Status SetDecay(const Arguments& arguments, v1::ConcurrencyLimit& limit) {
  const std::string text = arguments.Get("decay-per-second");
  ASSIGN_OR_RETURN(const double decay, ParseNumberOption(text, "--decay-per-second"));
  if (decay <= 0) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("decay-per-second", text)
        .Says(
            "--decay-per-second must be above 0, not `{}`; leave it away when slots come back "
            "as runs end",
            text);
  }
  limit.set_decay_per_second(decay);
  return absl::OkStatus();
}

absl::Status Create(Session& session, const Arguments& arguments) {
  v1::CreateConcurrencyLimitRequest request;
  auto& limit = *request.mutable_concurrency_limit();
  limit.set_name(arguments.Get("name"));
  limit.set_description(arguments.Get("description"));
  ASSIGN_OR_RETURN(const int32_t slots, ParseCountOption(arguments.Get("slots"), "SLOTS", 0));
  limit.set_slots(slots);
  if (arguments.Has("decay-per-second")) RETURN_IF_ERROR(SetDecay(arguments, limit));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateConcurrencyLimitResponse>(request));
  const Card card = CardOf(session, response.concurrency_limit());
  return AnswerChange(session,
                      fmt::format("Concurrency limit `{0}` created with {1} slot{2}. Take one: "
                                  "forebay deployment update FLOW/DEPLOYMENT --limit {0}",
                                  card.name, response.concurrency_limit().slots(),
                                  response.concurrency_limit().slots() == 1 ? "" : "s"),
                      card);
}

absl::Status List(Session& session, const Arguments&) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  Listing listing;
  listing.columns = {{"NAME"},
                     {"IN USE", false, true},
                     {"SLOTS", false, true},
                     {"DECAY", false, true},
                     {"DEPLOYMENTS", false, true},
                     {"CREATED", true},
                     {"DESCRIPTION"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListConcurrencyLimitsResponse>(
      *client, v1::ListConcurrencyLimitsRequest(), kAllItems,
      [](const auto& page) { return page.concurrency_limits(); },
      [&](const v1::ConcurrencyLimit& limit) {
        const std::string name = LastSegment(limit.name());
        listing.rows.push_back(
            {name,
             {name, fmt::format("{:.4g}", limit.slots_in_use()), std::to_string(limit.slots()),
              DecayText(limit), std::to_string(limit.deployments()),
              When(session, limit.create_time()), limit.description()},
             ToJson(limit)});
      }));
  return AnswerList(session, listing,
                    "No concurrency limits. Make one: forebay concurrency-limit create NAME SLOTS");
}

Listing HoldersOf(const v1::ConcurrencyLimit& limit) {
  Listing listing;
  listing.columns = {{"HELD BY"}};
  for (const std::string& run : limit.holders())
    listing.rows.push_back({"", {LastSegment(run)}, {}});
  return listing;
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  v1::GetConcurrencyLimitRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetConcurrencyLimitResponse>(request));
  RETURN_IF_ERROR(AnswerCard(session, CardOf(session, response.concurrency_limit())));
  const Listing holders = HoldersOf(response.concurrency_limit());
  if (!IsForPeople(session) || holders.rows.empty()) return absl::OkStatus();
  session.out() << '\n';
  PrintListing(holders, session.output(), session.out());
  return absl::OkStatus();
}

absl::Status Update(Session& session, const Arguments& arguments) {
  v1::UpdateConcurrencyLimitRequest request;
  auto& limit = *request.mutable_concurrency_limit();
  auto& mask = *request.mutable_update_mask();
  limit.set_name(arguments.Get("name"));
  if (arguments.Has("slots")) {
    ASSIGN_OR_RETURN(const int32_t slots, ParseCountOption(arguments.Get("slots"), "--slots", 0));
    limit.set_slots(slots);
    mask.add_paths("slots");
  }
  if (arguments.Has("decay-per-second")) {
    RETURN_IF_ERROR(SetDecay(arguments, limit));
    mask.add_paths("decay_per_second");
  }
  if (arguments.Has("description")) {
    limit.set_description(arguments.Get("description"));
    mask.add_paths("description");
  }
  if (mask.paths().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", "")
        .Next("forebay concurrency-limit update --help")
        .Says("nothing to update: give at least one of --slots, --decay-per-second, --description");
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateConcurrencyLimitResponse>(request));
  const Card card = CardOf(session, response.concurrency_limit());
  return AnswerChange(session,
                      fmt::format("Concurrency limit `{}` updated: {} in use.", card.name,
                                  UseText(response.concurrency_limit())),
                      card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  v1::DeleteConcurrencyLimitRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(Client * client, session.client());
  RETURN_IF_ERROR(client->Call<v1::DeleteConcurrencyLimitResponse>(request).status());
  session.Say(fmt::format("Concurrency limit `{}` deleted.", LastSegment(request.name())));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> ConcurrencyLimitCommands() {
  const Positional name = {"NAME", "Name of the limit", true, {}, Completes::kLimits};
  const std::vector<Option> fields = {
      {"--decay-per-second", "N", "Slots come back by themselves, this many a second"},
      {"--description", "TEXT", "For people"},
  };
  std::vector<Option> update_fields = fields;
  update_fields.insert(update_fields.begin(), {"--slots", "N", "From 0 on; 0 holds all back"});
  return {
      {"concurrency-limit create",
       "Create slots that deployments share",
       {{"NAME", "Name: 1-63 of a-z 0-9 - _"}, {"SLOTS", "How many may be taken at once"}},
       fields,
       false,
       false,
       Create},
      {"concurrency-limit ls", "List concurrency limits", {}, {}, false, false, List},
      {"concurrency-limit inspect",
       "Show one with who holds its slots and how many wait",
       {name},
       {},
       false,
       false,
       Inspect},
      {"concurrency-limit update",
       "Change it, at once",
       {name},
       update_fields,
       false,
       false,
       Update},
      {"concurrency-limit delete", "Delete it", {name}, {}, false, false, Delete},
  };
}

}  // namespace forebay::cli
