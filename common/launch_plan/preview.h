#pragma once

// What would be launched, with all that is wrong with it; for people who try things out. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "common/job_template/job_template.h"
#include "common/job_template/rendered_job.h"
#include "common/json/json.h"
#include "common/launch_plan/attribution.h"
#include "common/policy/policy.h"

namespace forebay {

struct JobProblem {
  // As of docs/reference/errors.md.
  std::string reason;
  // Into the variables, or into the job configuration.
  std::string pointer;
  // Keyword of the schema; empty for other problems.
  std::string rule;
  std::string value;
  std::string allowed;
  std::string nearest;
  std::string message;
};

struct JobPreview {
  // With what the launcher adds; null when it does not render.
  Json configuration;
  std::vector<LeafOrigin> leaves;
  std::vector<JobProblem> problems;
  std::vector<Denial> denials;

  bool launchable() const { return problems.empty() && denials.empty(); }
};

struct PreviewRequest {
  std::string_view pool_type;
  const JobTemplate& job_template;
  const Policy& policy;
  const Json& deployment;
  const Json& run;
  // Of the deployment; the configuration's own wins.
  std::vector<std::string> command;
  // What is not known before a run exists is given as a stand-in.
  Attribution attribution;
};

JobPreview PreviewJob(const PreviewRequest& request);
// The parts of an error.
JobProblem ProblemOf(const absl::Status& error);
// Stand-ins for what only a run has: "<run id>" and so on.
Attribution StandInAttribution();

}  // namespace forebay
