// Jobs and policies from hostile bytes: a job that is typed is typed the same again, and a policy
// decides.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/job_spec/final_spec.h"
#include "common/job_spec/image_reference.h"
#include "common/policy/policy.h"

namespace {

// A full name is its own full name.
void CheckImage(std::string_view text) {
  const auto image = forebay::ParseImageReference(text, "image");
  if (!image.ok()) return;
  const auto again = forebay::ParseImageReference(image->ToString(), "image");
  if (!again.ok() || again->ToString() != image->ToString()) std::abort();
}

void CheckJob(const forebay::Json& job, const forebay::Policy& policy) {
  const auto spec = forebay::FinalSpec("docker", job);
  if (!spec.ok()) return;
  const auto again = forebay::FinalSpec("docker", *spec);
  if (!again.ok() || *again != *spec) std::abort();
  (void)policy.Check(*spec, {});
}

// The manifest by itself, and as the whole configuration.
void CheckKubernetesJob(const forebay::Json& job) {
  const auto policy = forebay::Policy::Parse("kubernetes", "");
  for (const forebay::Json& configuration : {job, forebay::Json{{"job_manifest", job}}}) {
    const auto spec = forebay::FinalSpec("kubernetes", configuration);
    if (!spec.ok()) continue;
    // All that comes out is something that rules can be about.
    for (const forebay::Denial& denial : policy->Check(*spec, {})) {
      if (denial.rule == "unknown field") std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckImage(text);
  const size_t cut = text.find('\0');
  const auto policy = forebay::Policy::Parse("docker", text.substr(0, cut));
  const auto built_in = forebay::Policy::Parse("docker", "");
  const auto job = forebay::ParseJson(cut == text.npos ? text : text.substr(cut + 1), "job");
  if (!job.ok() || !job->is_object()) return 0;
  CheckJob(*job, policy.ok() ? *policy : *built_in);
  CheckKubernetesJob(*job);
  return 0;
}
