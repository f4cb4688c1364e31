// Template, deployment's and run's job variables from hostile text, parts set apart by a line
// `---`.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "common/job_template/environment.h"
#include "common/job_template/job_template.h"
#include "common/job_template/rendered_job.h"

namespace forebay {
namespace {

std::string_view TakePart(std::string_view& rest) {
  constexpr std::string_view kBorder = "\n---\n";
  const size_t end = rest.find(kBorder);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + kBorder.size());
  return part;
}

void Try(std::string_view text) {
  const auto job_template = JobTemplate::Parse(TakePart(text));
  const auto deployment = ParseJsonObject(TakePart(text), "deployment");
  const auto run = ParseJsonObject(text, "run");
  if (!job_template.ok() || !deployment.ok() || !run.ok()) return;
  job_template->CheckJobVariables(*deployment, "deployment").IgnoreError();
  job_template->CheckJobVariables(*run, "run").IgnoreError();
  const auto job = job_template->Render(*deployment, *run);
  // Both layers are objects, so nothing may keep them from being rendered.
  if (!job.ok()) std::abort();
  DumpJson(job->configuration);
  std::map<std::string, std::string> environment;
  if (job->configuration.contains("env"))
    ApplyEnv(job->configuration["env"], environment).IgnoreError();
}

}  // namespace
}  // namespace forebay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  forebay::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
