#include "forebay/v1/work_pool.pb.h"

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/proto_values.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "common/os/files.h"

namespace forebay::cli {
namespace {

constexpr char kDefaultRetention[] = "default";

std::string LimitText(const v1::WorkPool& pool) {
  return pool.has_concurrency_limit() ? std::to_string(pool.concurrency_limit()) : "none";
}

std::string StatusText(const v1::WorkPool& pool) {
  return ShortEnumName(*v1::PoolStatus_descriptor()->FindValueByNumber(pool.status()));
}

Card CardOf(Session& session, const v1::WorkPool& pool) {
  const std::string name = LastSegment(pool.name());
  return {name,
          {{"Name", name},
           {"Type", pool.type()},
           {"Status", StatusText(pool)},
           {"Reason", pool.status_reason()},
           {"Description", pool.description()},
           {"Concurrency limit", LimitText(pool)},
           {"Late after",
            pool.timeouts().has_late_after() ? TypedDuration(pool.timeouts().late_after()) : ""},
           {"Retention", pool.has_retention() ? TypedDuration(pool.retention()) : ""},
           {"Queued runs", std::to_string(pool.queued_runs())},
           {"Held attempts", std::to_string(pool.held_attempts())},
           {"Online workers", std::to_string(pool.online_workers())},
           {"Revision", std::to_string(pool.revision())},
           {"Created", When(session, pool.create_time())},
           {"Updated", When(session, pool.update_time())},
           {"Creator", pool.creator()},
           {"UID", pool.uid()}},
          ToJson(pool)};
}

absl::StatusOr<v1::WorkPool> GetPool(Client& client, const std::string& name) {
  v1::GetWorkPoolRequest request;
  request.set_name(PoolResource(name));
  ASSIGN_OR_RETURN(auto response, client.Call<v1::GetWorkPoolResponse>(request));
  return std::move(*response.mutable_work_pool());
}

// True when one of the timeouts was given.
absl::StatusOr<bool> SetTimeouts(const Arguments& arguments, v1::PoolTimeouts& timeouts) {
  using Slot = google::protobuf::Duration* (v1::PoolTimeouts::*)();
  const std::pair<const char*, Slot> slots[] = {
      {"lease-ttl", &v1::PoolTimeouts::mutable_lease_ttl},
      {"start-deadline", &v1::PoolTimeouts::mutable_start_deadline},
      {"cancel-grace", &v1::PoolTimeouts::mutable_cancel_grace},
      {"crash-after", &v1::PoolTimeouts::mutable_crash_after},
      {"late-after", &v1::PoolTimeouts::mutable_late_after},
  };
  bool any = false;
  for (const auto& [option, slot] : slots) {
    if (!arguments.Has(option)) continue;
    ASSIGN_OR_RETURN(const auto duration,
                     ParseDurationOption(arguments.Get(option), fmt::format("--{}", option)));
    SetDuration(duration, *(timeouts.*slot)());
    any = true;
  }
  return any;
}

absl::Status SetLimit(const Arguments& arguments, v1::WorkPool& pool) {
  ASSIGN_OR_RETURN(const auto limit,
                   ParseLimitOption(arguments.Get("concurrency-limit"), "--concurrency-limit"));
  pool.clear_concurrency_limit();
  if (limit.has_value()) pool.set_concurrency_limit(*limit);
  return absl::OkStatus();
}

absl::Status SetRetention(const Arguments& arguments, v1::WorkPool& pool) {
  pool.clear_retention();
  const std::string given = arguments.Get("retention");
  if (given == kDefaultRetention) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto retention, ParseDurationOption(given, "--retention"));
  SetDuration(retention, *pool.mutable_retention());
  return absl::OkStatus();
}

absl::Status SetTemplate(const Arguments& arguments, v1::WorkPool& pool) {
  ASSIGN_OR_RETURN(*pool.mutable_base_job_template(),
                   ReadSmallFile(arguments.Get("base-job-template")));
  return absl::OkStatus();
}

absl::Status Create(Session& session, const Arguments& arguments) {
  v1::CreateWorkPoolRequest request;
  auto& pool = *request.mutable_work_pool();
  pool.set_name(PoolResource(arguments.Get("name")));
  pool.set_type(arguments.Get("type"));
  pool.set_description(arguments.Get("description"));
  if (arguments.Has("concurrency-limit")) RETURN_IF_ERROR(SetLimit(arguments, pool));
  if (arguments.Has("base-job-template")) RETURN_IF_ERROR(SetTemplate(arguments, pool));
  if (arguments.Has("retention")) RETURN_IF_ERROR(SetRetention(arguments, pool));
  v1::PoolTimeouts timeouts;
  ASSIGN_OR_RETURN(const bool any, SetTimeouts(arguments, timeouts));
  if (any) *pool.mutable_timeouts() = timeouts;
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateWorkPoolResponse>(request));
  const Card card = CardOf(session, response.work_pool());
  return AnswerChange(
      session,
      fmt::format(
          "Work pool `{0}` of type {1} created. Start a worker: forebay worker start --pool {0}",
          card.name, response.work_pool().type()),
      card);
}

absl::Status List(Session& session, const Arguments&) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  Listing listing;
  listing.columns = {{"NAME"},
                     {"TYPE"},
                     {"STATUS", false, false, true},
                     {"WORKERS", false, true},
                     {"QUEUED", false, true},
                     {"HELD", false, true},
                     {"LIMIT", false, true},
                     {"CREATED", true},
                     {"DESCRIPTION", true},
                     {"REASON"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListWorkPoolsResponse>(
      *client, v1::ListWorkPoolsRequest(), kAllItems,
      [](const auto& page) { return page.work_pools(); },
      [&](const v1::WorkPool& pool) {
        const std::string name = LastSegment(pool.name());
        listing.rows.push_back(
            {name,
             {name, pool.type(), StatusText(pool), std::to_string(pool.online_workers()),
              std::to_string(pool.queued_runs()), std::to_string(pool.held_attempts()),
              LimitText(pool), When(session, pool.create_time()), pool.description(),
              pool.status_reason()},
             ToJson(pool)});
      }));
  return AnswerList(session, listing,
                    "No work pools. Create one: forebay work-pool create --type process my-pool");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto pool, GetPool(*client, arguments.Get("name")));
  return AnswerCard(session, CardOf(session, pool));
}

absl::Status Update(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(auto pool, GetPool(*client, arguments.Get("name")));
  v1::UpdateWorkPoolRequest request;
  auto& mask = *request.mutable_update_mask();
  if (arguments.Has("description")) {
    pool.set_description(arguments.Get("description"));
    mask.add_paths("description");
  }
  if (arguments.Has("concurrency-limit")) {
    RETURN_IF_ERROR(SetLimit(arguments, pool));
    mask.add_paths("concurrency_limit");
  }
  if (arguments.Has("base-job-template")) {
    RETURN_IF_ERROR(SetTemplate(arguments, pool));
    mask.add_paths("base_job_template");
  }
  if (arguments.Has("retention")) {
    RETURN_IF_ERROR(SetRetention(arguments, pool));
    mask.add_paths("retention");
  }
  ASSIGN_OR_RETURN(const bool any_timeout, SetTimeouts(arguments, *pool.mutable_timeouts()));
  if (any_timeout) mask.add_paths("timeouts");
  if (mask.paths().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", "")
        .Next("forebay work-pool update --help")
        .Says(
            "nothing to update: give at least one of --description, --concurrency-limit, "
            "--base-job-template, --retention or a timeout");
  }
  *request.mutable_work_pool() = std::move(pool);
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateWorkPoolResponse>(request));
  const Card card = CardOf(session, response.work_pool());
  return AnswerChange(session, fmt::format("Work pool `{}` updated.", card.name), card);
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::PauseWorkPoolRequest request;
  request.set_name(PoolResource(arguments.Get("name")));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::PauseWorkPoolResponse>(request));
  const Card card = CardOf(session, response.work_pool());
  return AnswerChange(
      session,
      fmt::format("Work pool `{0}` paused: its runs wait. Resume: forebay work-pool resume {0}",
                  card.name),
      card);
}

absl::Status Resume(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ResumeWorkPoolRequest request;
  request.set_name(PoolResource(arguments.Get("name")));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::ResumeWorkPoolResponse>(request));
  const Card card = CardOf(session, response.work_pool());
  return AnswerChange(session, fmt::format("Work pool `{}` resumed.", card.name), card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DeleteWorkPoolRequest request;
  request.set_name(PoolResource(arguments.Get("name")));
  request.set_force(arguments.Has("force"));
  RETURN_IF_ERROR(client->Call<v1::DeleteWorkPoolResponse>(request).status());
  session.Say(fmt::format("Work pool `{}` deleted.", LastSegment(request.name())));
  return absl::OkStatus();
}

absl::Status GetDefaultTemplate(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetDefaultBaseJobTemplateRequest request;
  request.set_type(arguments.Get("type"));
  ASSIGN_OR_RETURN(const auto response,
                   client->Call<v1::GetDefaultBaseJobTemplateResponse>(request));
  session.out() << Trim(response.base_job_template()) << std::endl;
  return absl::OkStatus();
}

Positional PoolName() { return {"NAME", "Name of the work pool", true, {}, Completes::kPools}; }

Option PoolType() {
  const auto types = PoolTypes();
  return {"-t,--type",
          "TYPE",
          "What runs become: one of the types that workers launch",
          true,
          false,
          false,
          {types.begin(), types.end()}};
}

std::vector<Option> PoolFields() {
  return {
      {"--description", "TEXT", "For people"},
      {"--concurrency-limit", "N", "Most runs held at once, or none"},
      {"--base-job-template",
       "FILE",
       "JSON file with job_configuration and variables",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--lease-ttl", "DURATION", "Silence after which a worker loses its runs (15s)"},
      {"--start-deadline", "DURATION", "From grant to start (30s)"},
      {"--cancel-grace", "DURATION", "Between SIGTERM and SIGKILL of a stopped run (30s)"},
      {"--crash-after", "DURATION", "Silence of a run after which it has crashed (30s)"},
      {"--late-after", "DURATION", "A waiting run that is overdue by more is shown as late (15s)"},
      {"--retention", "DURATION",
       "How long finished runs are kept, e.g. 30d; or `default`: as long as the server says (90d)"},
  };
}

}  // namespace

std::vector<Command> WorkPoolCommands() {
  std::vector<Option> create_options = PoolFields();
  create_options.insert(create_options.begin(), PoolType());
  return {
      {"work-pool create",
       "Create a work pool",
       {{"NAME", "Name: 1-63 of a-z 0-9 - _"}},
       create_options,
       false,
       false,
       Create},
      {"work-pool ls", "List work pools", {}, {}, false, false, List},
      {"work-pool inspect", "Show one work pool", {PoolName()}, {}, false, false, Inspect},
      {"work-pool update", "Change a work pool", {PoolName()}, PoolFields(), false, false, Update},
      {"work-pool pause", "Hold back the pool's runs", {PoolName()}, {}, false, false, Pause},
      {"work-pool resume", "Let the pool's runs go on", {PoolName()}, {}, false, false, Resume},
      {"work-pool delete",
       "Delete a work pool",
       {PoolName()},
       {{"--force", "", "Delete its deployments and cancel its waiting runs too"}},
       false,
       false,
       Delete},
      {"work-pool get-default-base-job-template",
       "Print the template that a type begins with",
       {},
       {PoolType()},
       false,
       false,
       GetDefaultTemplate},
  };
}

}  // namespace forebay::cli
