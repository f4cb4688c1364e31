#include "cli/job_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/output/proto_json.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

bool ForPrograms(Session& session) {
  const OutputFormat format = session.output().format;
  return format == OutputFormat::kJson || format == OutputFormat::kYaml;
}

// The value at a JSON pointer.
const Json* Find(const Json& document, std::string_view pointer) {
  const Json* at = &document;
  if (pointer.empty()) return at;
  for (const std::string_view step : Split(pointer.substr(1), '/')) {
    const std::string key = ReplaceAll(ReplaceAll(step, "~1", "/"), "~0", "~");
    if (at->is_array()) {
      const auto index = ParseInt(key);
      if (!index.has_value() || static_cast<size_t>(*index) >= at->size()) return nullptr;
      at = &(*at)[static_cast<size_t>(*index)];
      continue;
    }
    const auto found = at->is_object() ? at->find(key) : at->end();
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

Json ForMachines(const v1::RenderJobResponse& preview, const Json& configuration) {
  Json all = ToJson(preview);
  all["job_configuration"] = configuration;
  return all;
}

void ShowLeaves(Session& session, const v1::RenderJobResponse& preview, const Json& configuration) {
  size_t width = 0;
  for (const v1::JobLeaf& leaf : preview.leaves()) width = std::max(width, leaf.pointer().size());
  for (const v1::JobLeaf& leaf : preview.leaves()) {
    const Json* value = Find(configuration, leaf.pointer());
    session.out() << fmt::format("  {:<{}}  {:<10}  {}\n", leaf.pointer(), width, leaf.origin(),
                                 value == nullptr ? "" : DumpJson(*value));
  }
}

}  // namespace

void ShowFaults(Session& session,
                const google::protobuf::RepeatedPtrField<v1::JobProblem>& problems,
                const google::protobuf::RepeatedPtrField<v1::PolicyDenial>& denials) {
  for (const v1::JobProblem& problem : problems) {
    session.out() << fmt::format("  problem  {}: {} ({})\n", problem.pointer(), problem.message(),
                                 problem.reason());
  }
  for (const v1::PolicyDenial& denial : denials) {
    session.out() << fmt::format("  denied   {}\n", denial.message());
  }
}

absl::Status ShowJob(Session& session, std::string_view title,
                     const v1::RenderJobResponse& preview) {
  ASSIGN_OR_RETURN(const Json configuration,
                   ParseJsonObject(preview.job_configuration(), "job_configuration"));
  if (ForPrograms(session)) {
    RETURN_IF_ERROR(AnswerCard(session, {"", {}, ForMachines(preview, configuration)}));
  } else {
    session.out() << title << "\n";
    ShowLeaves(session, preview, configuration);
    session.out() << (preview.launchable() ? "A run would be accepted.\n"
                                           : "A run would be refused:\n");
    ShowFaults(session, preview.problems(), preview.denials());
    session.out() << std::flush;
  }
  if (preview.launchable()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "NOT_LAUNCHABLE")
      .Says("{} problems, {} denials: this job would not be launched", preview.problems_size(),
            preview.denials_size());
}

}  // namespace forebay::cli
