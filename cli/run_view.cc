#include "cli/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/follow.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/schedule_view.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

constexpr char kLateName[] = "Late";

// From start to end, or until now.
std::string LastedText(Session& session, const v1::FlowRun& run) {
  if (!run.has_start_time()) return "";
  const absl::Time end = run.has_end_time() ? TimeOf(run.end_time()) : session.clock().Now();
  return DurationText(std::max(end - TimeOf(run.start_time()), absl::ZeroDuration()));
}

std::string TagsText(const v1::FlowRun& run) {
  return Join(std::vector<std::string>(run.tags().begin(), run.tags().end()), ", ");
}

// Times that lie in the past say nothing new about when a run was due.
std::string DueText(Session& session, const v1::FlowRun& run) {
  return TimeOf(run.due_time()) > session.clock().Now() ? When(session, run.due_time()) : "";
}

// The sentence of a server that knows causes, else the one that all servers have.
std::string WaitingText(const v1::FlowRun& run) {
  return run.waiting().message().empty() ? run.waiting_reason() : run.waiting().message();
}

std::string HoldersText(const v1::Waiting& waiting) {
  std::vector<std::string> ids;
  for (const std::string& holder : waiting.holders()) ids.push_back(LastSegment(holder));
  return Join(ids, ", ");
}

const std::string kUnknown = "unknown";

std::string CpuText(bool known, int64_t micros) {
  return (known ? DurationText(absl::Microseconds(micros)) : kUnknown) + " CPU";
}

// What a live attempt uses nobody says, and one that never began used nothing.
std::string UsageText(const v1::Attempt& attempt) {
  if (!attempt.has_outcome() || !attempt.has_start_time()) return "";
  const v1::Usage& usage = attempt.usage();
  // A server older than the sum says the parts.
  const bool parts = usage.has_cpu_user_micros() && usage.has_cpu_system_micros();
  const bool timed = usage.has_cpu_micros() || parts;
  const int64_t cpu = usage.has_cpu_micros() ? usage.cpu_micros()
                                             : usage.cpu_user_micros() + usage.cpu_system_micros();
  if (!timed && !usage.has_max_rss_bytes()) return kUnknown;
  const std::string memory = usage.has_max_rss_bytes()
                                 ? fmt::format("{} MiB", usage.max_rss_bytes() >> 20)
                                 : "unknown memory";
  return fmt::format("{}, {}", CpuText(timed, cpu), memory);
}

bool AnyReserved(const v1::FlowRun& run) {
  return std::ranges::any_of(run.attempts(), [](const v1::Attempt& attempt) {
    return attempt.usage().has_cpu_reserved_micros();
  });
}

// Nothing where nothing is ever set aside.
std::string ReservedText(const v1::Usage& usage) {
  if (!usage.has_cpu_reserved_micros() || !usage.has_memory_reserved_byte_seconds()) return "";
  return fmt::format("{}, {} MiB x s", CpuText(true, usage.cpu_reserved_micros()),
                     usage.memory_reserved_byte_seconds() >> 20);
}

std::string InfrastructureText(const v1::Attempt& attempt) {
  if (attempt.infrastructure_name().empty() ||
      attempt.infrastructure_name() == attempt.infrastructure_id()) {
    return attempt.infrastructure_id();
  }
  return attempt.infrastructure_id().empty()
             ? attempt.infrastructure_name()
             : fmt::format("{} ({})", attempt.infrastructure_name(), attempt.infrastructure_id());
}

}  // namespace

std::string ShownState(const v1::State& state) {
  return state.name() == kLateName ? "LATE" : StateName(state);
}

Card RunCard(Session& session, const v1::FlowRun& run) {
  const std::string id = LastSegment(run.name());
  return {id,
          {{"ID", id},
           {"Name", run.display_name()},
           {"State", ShownState(run.state())},
           {"Message", run.state().message()},
           {"Waiting", WaitingText(run)},
           {"Waiting until", WhenLocal(session, run.waiting().until())},
           {"Waiting for limit", LastSegment(run.waiting().limit())},
           {"Limit held by", HoldersText(run.waiting())},
           {"Deployment", DeploymentShortName(run.deployment())},
           {"Schedule", ScheduleShortName(run.schedule())},
           {"Retry of", LastSegment(run.retry_of())},
           {"Work pool", LastSegment(run.work_pool())},
           {"Work queue", LastSegment(run.work_queue())},
           {"Parameters", run.parameters()},
           {"Job variables", run.job_variables()},
           {"Tags", TagsText(run)},
           {"Created", When(session, run.create_time())},
           {"Due", DueText(session, run)},
           {"Started", When(session, run.start_time())},
           {"Ended", When(session, run.end_time())},
           {"Duration", LastedText(session, run)},
           {"Exit code", run.has_exit_code() ? std::to_string(run.exit_code()) : ""},
           {"Creator", run.creator()}},
          ToJson(run)};
}

Listing RunListing() {
  Listing listing;
  listing.columns = {
      {"ID"},       {"NAME"},       {"DEPLOYMENT"},  {"STATE", false, false, true}, {"CREATED"},
      {"DURATION"}, {"POOL", true}, {"QUEUE", true}, {"ATTEMPTS", true, true},      {"TAGS", true},
      {"MESSAGE"}};
  return listing;
}

Row RunRow(Session& session, const v1::FlowRun& run) {
  const std::string id = LastSegment(run.name());
  return {id,
          {id, run.display_name(), DeploymentShortName(run.deployment()), ShownState(run.state()),
           When(session, run.create_time()), LastedText(session, run), LastSegment(run.work_pool()),
           LastSegment(run.work_queue()), std::to_string(run.attempt_count()), TagsText(run),
           run.state().message()},
          ToJson(run)};
}

Listing AttemptsOf(Session& session, const v1::FlowRun& run) {
  Listing listing;
  listing.columns = {{"ATTEMPT", false, true},
                     {"OUTCOME", false, false, true},
                     {"WORKER"},
                     {"GRANTED"},
                     {"STARTED"},
                     {"ENDED"},
                     {"EXIT", false, true},
                     {"USED"},
                     {"RESERVED", !AnyReserved(run)},
                     {"INFRASTRUCTURE"},
                     {"CAUSE"}};
  for (const v1::Attempt& attempt : run.attempts()) {
    listing.rows.push_back(
        {std::to_string(attempt.number()),
         {std::to_string(attempt.number()),
          attempt.has_outcome() ? StateName(attempt.outcome()) : "live", attempt.worker_name(),
          When(session, attempt.grant_time()), When(session, attempt.start_time()),
          When(session, attempt.end_time()),
          attempt.has_exit_code() ? std::to_string(attempt.exit_code()) : "", UsageText(attempt),
          ReservedText(attempt.usage()), InfrastructureText(attempt), attempt.outcome().message()},
         {}});
  }
  return listing;
}

Listing StatesOf(Session& session, const v1::FlowRun& run) {
  Listing listing;
  listing.columns = {{"WHEN"},   {"STATE", false, false, true},
                     {"NAME"},   {"ATTEMPT", false, true},
                     {"REASON"}, {"MESSAGE"}};
  for (const v1::State& state : run.states()) {
    listing.rows.push_back({"",
                            {WhenLocal(session, state.time()), StateName(state), state.name(),
                             state.attempt() == 0 ? "" : std::to_string(state.attempt()),
                             state.reason(), state.message()},
                            {}});
  }
  return listing;
}

}  // namespace forebay::cli
