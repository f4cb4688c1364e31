#include "forebay/v1/work_queue.pb.h"

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/values.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

std::string ResourceOf(const Arguments& arguments) {
  return QueueResource(arguments.Get("pool"), arguments.Get("name"));
}

std::string LimitText(const v1::WorkQueue& queue) {
  return queue.has_concurrency_limit() ? std::to_string(queue.concurrency_limit()) : "none";
}

std::string StatusText(const v1::WorkQueue& queue) { return queue.paused() ? "PAUSED" : "READY"; }

Card CardOf(Session& session, const v1::WorkQueue& queue) {
  const std::string name = LastSegment(queue.name());
  return {name,
          {{"Name", name},
           {"Status", StatusText(queue)},
           {"Description", queue.description()},
           {"Priority", std::to_string(queue.priority())},
           {"Concurrency limit", LimitText(queue)},
           {"Queued runs", std::to_string(queue.queued_runs())},
           {"Held attempts", std::to_string(queue.held_attempts())},
           {"Created", When(session, queue.create_time())},
           {"Updated", When(session, queue.update_time())},
           {"UID", queue.uid()}},
          ToJson(queue)};
}

// Fills the fields that were given; answers their names.
absl::StatusOr<std::vector<std::string>> SetFields(const Arguments& arguments,
                                                   v1::WorkQueue& queue) {
  std::vector<std::string> paths;
  if (arguments.Has("description")) {
    queue.set_description(arguments.Get("description"));
    paths.emplace_back("description");
  }
  if (arguments.Has("priority")) {
    ASSIGN_OR_RETURN(const int32_t priority,
                     ParseCountOption(arguments.Get("priority"), "--priority", 1));
    queue.set_priority(priority);
    paths.emplace_back("priority");
  }
  if (arguments.Has("concurrency-limit")) {
    ASSIGN_OR_RETURN(const auto limit,
                     ParseLimitOption(arguments.Get("concurrency-limit"), "--concurrency-limit"));
    if (limit.has_value()) queue.set_concurrency_limit(*limit);
    paths.emplace_back("concurrency_limit");
  }
  return paths;
}

absl::Status Create(Session& session, const Arguments& arguments) {
  v1::CreateWorkQueueRequest request;
  request.mutable_work_queue()->set_name(ResourceOf(arguments));
  RETURN_IF_ERROR(SetFields(arguments, *request.mutable_work_queue()).status());
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateWorkQueueResponse>(request));
  const Card card = CardOf(session, response.work_queue());
  return AnswerChange(
      session,
      fmt::format("Work queue `{}` created in pool `{}` with priority {}.", card.name,
                  arguments.Get("pool"), response.work_queue().priority()),
      card);
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListWorkQueuesRequest request;
  request.set_parent(PoolResource(arguments.Get("pool")));
  Listing listing;
  listing.columns = {{"NAME"},
                     {"PRIORITY", false, true},
                     {"STATUS", false, false, true},
                     {"QUEUED", false, true},
                     {"HELD", false, true},
                     {"LIMIT", false, true},
                     {"CREATED", true},
                     {"DESCRIPTION"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListWorkQueuesResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.work_queues(); },
      [&](const v1::WorkQueue& queue) {
        const std::string name = LastSegment(queue.name());
        listing.rows.push_back(
            {name,
             {name, std::to_string(queue.priority()), StatusText(queue),
              std::to_string(queue.queued_runs()), std::to_string(queue.held_attempts()),
              LimitText(queue), When(session, queue.create_time()), queue.description()},
             ToJson(queue)});
      }));
  return AnswerList(session, listing, "No work queues.");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetWorkQueueRequest request;
  request.set_name(ResourceOf(arguments));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetWorkQueueResponse>(request));
  return AnswerCard(session, CardOf(session, response.work_queue()));
}

absl::Status Update(Session& session, const Arguments& arguments) {
  v1::UpdateWorkQueueRequest request;
  request.mutable_work_queue()->set_name(ResourceOf(arguments));
  ASSIGN_OR_RETURN(const auto paths, SetFields(arguments, *request.mutable_work_queue()));
  if (paths.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", "")
        .Next("forebay work-queue update --help")
        .Says(
            "nothing to update: give at least one of --description, --priority, "
            "--concurrency-limit");
  }
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateWorkQueueResponse>(request));
  const Card card = CardOf(session, response.work_queue());
  return AnswerChange(session, fmt::format("Work queue `{}` updated.", card.name), card);
}

// What the server has afterwards, as people say it.
absl::Status ChangeLimit(Session& session, const Arguments& arguments,
                         std::optional<int32_t> limit) {
  v1::UpdateWorkQueueRequest request;
  request.mutable_work_queue()->set_name(ResourceOf(arguments));
  if (limit.has_value()) request.mutable_work_queue()->set_concurrency_limit(*limit);
  request.mutable_update_mask()->add_paths("concurrency_limit");
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateWorkQueueResponse>(request));
  const Card card = CardOf(session, response.work_queue());
  return AnswerChange(
      session,
      fmt::format("Work queue `{}` has the concurrency limit {}; {} of its runs are held.",
                  card.name, LimitText(response.work_queue()),
                  response.work_queue().held_attempts()),
      card);
}

absl::Status SetLimit(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const int32_t limit, ParseCountOption(arguments.Get("limit"), "LIMIT", 0));
  return ChangeLimit(session, arguments, limit);
}

absl::Status ClearLimit(Session& session, const Arguments& arguments) {
  return ChangeLimit(session, arguments, std::nullopt);
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::PauseWorkQueueRequest request;
  request.set_name(ResourceOf(arguments));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::PauseWorkQueueResponse>(request));
  const Card card = CardOf(session, response.work_queue());
  return AnswerChange(session,
                      fmt::format("Work queue `{0}` paused: its runs wait. Resume: forebay "
                                  "work-queue resume {0} --pool {1}",
                                  card.name, arguments.Get("pool")),
                      card);
}

absl::Status Resume(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ResumeWorkQueueRequest request;
  request.set_name(ResourceOf(arguments));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::ResumeWorkQueueResponse>(request));
  const Card card = CardOf(session, response.work_queue());
  return AnswerChange(session, fmt::format("Work queue `{}` resumed.", card.name), card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DeleteWorkQueueRequest request;
  request.set_name(ResourceOf(arguments));
  RETURN_IF_ERROR(client->Call<v1::DeleteWorkQueueResponse>(request).status());
  session.Say(fmt::format("Work queue `{}` deleted.", LastSegment(request.name())));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> WorkQueueCommands() {
  const Positional name = {"NAME", "Name of the queue"};
  const Option pool = {"-p,--pool", "POOL", "The queue's pool", true, false,
                       false,       {},     Completes::kPools};
  const std::vector<Option> fields = {
      pool,
      {"--description", "TEXT", "For people"},
      {"--priority", "N", "1 is first"},
      {"--concurrency-limit,--limit", "N", "Most runs of the queue held at once, or none"},
  };
  return {
      {"work-queue create", "Create a queue", {name}, fields, false, false, Create},
      {"work-queue ls", "List the queues of a pool", {}, {pool}, false, false, List},
      {"work-queue inspect", "Show one queue", {name}, {pool}, false, false, Inspect},
      {"work-queue update", "Change a queue", {name}, fields, false, false, Update},
      {"work-queue set-limit",
       "Let at most so many of its runs be held at once",
       {name, {"LIMIT", "From 0 on; 0 holds all back"}},
       {pool},
       false,
       false,
       SetLimit},
      {"work-queue clear-limit", "Take the limit away", {name}, {pool}, false, false, ClearLimit},
      {"work-queue pause", "Hold back the queue's runs", {name}, {pool}, false, false, Pause},
      {"work-queue resume", "Let the queue's runs go on", {name}, {pool}, false, false, Resume},
      {"work-queue delete", "Delete a queue", {name}, {pool}, false, false, Delete},
  };
}

}  // namespace forebay::cli
