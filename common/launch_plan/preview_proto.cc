#include "common/launch_plan/preview_proto.h"

#include <nlohmann/json.hpp>

namespace forebay {

void ToProto(const JobProblem& problem, v1::JobProblem& proto) {
  proto.set_reason(problem.reason);
  proto.set_pointer(problem.pointer);
  proto.set_rule(problem.rule);
  proto.set_value(problem.value);
  proto.set_allowed(problem.allowed);
  proto.set_nearest(problem.nearest);
  proto.set_message(problem.message);
}

void ToProto(const Denial& denial, v1::PolicyDenial& proto) {
  proto.set_rule(denial.rule);
  proto.set_field(denial.field);
  proto.set_value(denial.value);
  proto.set_set_by(denial.set_by);
  proto.set_allowed(denial.allowed);
  proto.set_message(denial.message);
}

v1::RenderJobResponse ToProto(const JobPreview& preview) {
  v1::RenderJobResponse response;
  if (!preview.configuration.is_null()) {
    response.set_job_configuration(DumpJson(preview.configuration));
  }
  for (const LeafOrigin& leaf : preview.leaves) {
    v1::JobLeaf& proto = *response.add_leaves();
    proto.set_pointer(leaf.pointer);
    proto.set_origin(std::string(OriginName(leaf.origin)));
  }
  for (const JobProblem& problem : preview.problems) ToProto(problem, *response.add_problems());
  for (const Denial& denial : preview.denials) ToProto(denial, *response.add_denials());
  response.set_launchable(preview.launchable());
  return response;
}

}  // namespace forebay
