#include "common/job_spec/docker_spec.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/byte_size.h"
#include "common/job_spec/environment_names.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/mount.h"

namespace forebay {
namespace {

// What engines refuse to go below.
constexpr int64_t kLeastMemory = 6 << 20;
constexpr double kMostCpus = 4096;
constexpr double kNanosPerCpu = 1e9;
constexpr int64_t kMostPids = 4'194'304;
constexpr int64_t kMostGpus = 4096;

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

absl::Status NoControl(std::string_view field, std::string_view text) {
  return HasControl(text) ? InvalidJob(field, ToValidUtf8(text), "holds a control character")
                          : absl::OkStatus();
}

absl::Status CheckWords(std::string_view field, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.find('\0') != std::string::npos) return InvalidJob(field, "", "holds a NUL character");
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Size(const Json* value, std::string_view field, int64_t least,
                             bool minus_one = false) {
  if (value == nullptr) return 0;
  const auto bytes = ByteSizeOf(*value, minus_one);
  if (!bytes.has_value()) {
    return InvalidJob(field, DumpJson(*value),
                      "is not a size such as \"64m\", \"1.5g\" or 1048576");
  }
  if (*bytes != -1 && *bytes < least) {
    return InvalidJob(field, DumpJson(*value), fmt::format("is less than {} bytes", least));
  }
  return *bytes;
}

absl::Status ReadSizes(JobFields& fields, DockerSpec& spec) {
  ASSIGN_OR_RETURN(spec.mem_limit, Size(fields.GetValue("mem_limit"), "mem_limit", kLeastMemory));
  ASSIGN_OR_RETURN(spec.memswap_limit,
                   Size(fields.GetValue("memswap_limit"), "memswap_limit", kLeastMemory, true));
  ASSIGN_OR_RETURN(spec.shm_size, Size(fields.GetValue("shm_size"), "shm_size", 1));
  if (spec.memswap_limit == 0) return absl::OkStatus();
  if (spec.mem_limit == 0) {
    return InvalidJob("memswap_limit", std::to_string(spec.memswap_limit),
                      "needs mem_limit beside it");
  }
  if (spec.memswap_limit != -1 && spec.memswap_limit < spec.mem_limit) {
    return InvalidJob("memswap_limit", std::to_string(spec.memswap_limit),
                      "is less than mem_limit; it counts memory and swap together");
  }
  return absl::OkStatus();
}

absl::Status ReadCpus(const Json* value, DockerSpec& spec) {
  if (value == nullptr) return absl::OkStatus();
  const double cpus = value->is_number() ? value->get<double>() : -1;
  if (!(cpus >= 0.01 && cpus <= kMostCpus)) {
    return InvalidJob("cpus", DumpJson(*value), "is not a number of processors from 0.01 to 4096");
  }
  spec.nano_cpus = static_cast<int64_t>(std::llround(cpus * kNanosPerCpu));
  return absl::OkStatus();
}

absl::Status ReadGpus(const Json* value, DockerSpec& spec) {
  if (value == nullptr) return absl::OkStatus();
  if (*value == "all") {
    spec.gpu_count = -1;
    return absl::OkStatus();
  }
  if (value->is_number_integer() && *value >= 0 && *value <= kMostGpus) {
    spec.gpu_count = value->get<int64_t>();
    return absl::OkStatus();
  }
  const auto is_id = [](const Json& id) {
    return id.is_string() && IsEngineName(id.get_ref<const std::string&>());
  };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_id)) {
    return InvalidJob("gpus", DumpJson(*value),
                      "is neither \"all\" nor a number nor a list of ids");
  }
  spec.gpu_ids = value->get<std::vector<std::string>>();
  return absl::OkStatus();
}

absl::StatusOr<PullPolicy> ReadPullPolicy(const std::string& text, const ImageReference& image) {
  const std::vector<std::string> names = {"IfNotPresent", "Always", "Never", "IfPossible"};
  if (text.empty()) return image.floating ? PullPolicy::kAlways : PullPolicy::kIfNotPresent;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<PullPolicy>(found - names.begin());
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
      .Field("image_pull_policy", text)
      .With("nearest", NearestName(text, names))
      .With("allowed", Join(names, ", "))
      .Says("job configuration: 'image_pull_policy' is '{}', not one of {}", ToValidUtf8(text),
            Join(names, ", "));
}

absl::Status ReadVolumes(const std::vector<std::string>& volumes, DockerSpec& spec) {
  for (size_t i = 0; i < volumes.size(); ++i) {
    ASSIGN_OR_RETURN(VolumeMount mount, ParseMount(volumes[i], fmt::format("volumes.{}", i)));
    spec.volumes.push_back(std::move(mount));
  }
  return absl::OkStatus();
}

absl::Status CheckNetworks(const DockerSpec& spec) {
  for (const std::string& network : spec.networks) {
    if (!IsEngineName(network)) {
      return InvalidJob("networks", ToValidUtf8(network), "holds what is no name of a network");
    }
  }
  std::string_view mode = spec.network_mode;
  if (mode.empty()) return absl::OkStatus();
  if (!spec.networks.empty()) {
    return InvalidJob("network_mode", mode, "and 'networks' exclude each other");
  }
  if (constexpr std::string_view kContainer = "container:"; mode.starts_with(kContainer)) {
    mode.remove_prefix(kContainer.size());
  }
  return IsEngineName(mode)
             ? absl::OkStatus()
             : InvalidJob(
                   "network_mode", ToValidUtf8(spec.network_mode),
                   "is neither bridge, none, host, container:<name> nor the name of a network");
}

// Upper case, without CAP_.
absl::Status ReadCapabilities(std::string_view field, const std::vector<std::string>& names,
                              std::vector<std::string>& read) {
  for (const std::string& name : names) {
    std::string_view bare = name;
    if (bare.starts_with("CAP_")) bare.remove_prefix(4);
    const bool fits = !bare.empty() && std::all_of(bare.begin(), bare.end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || c == '_';
    });
    if (!fits) {
      return InvalidJob(field, ToValidUtf8(name),
                        "holds what is no capability, such as NET_BIND_SERVICE or ALL");
    }
    read.emplace_back(bare);
  }
  return absl::OkStatus();
}

// Letters, digits and `extra`.
bool IsWord(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

absl::Status CheckNames(const DockerSpec& spec) {
  if (const auto parts = Split(spec.user, ':');
      !spec.user.empty() &&
      (parts.size() > 2 ||
       !std::all_of(parts.begin(), parts.end(), [](auto p) { return IsWord(p, "_.-"); }))) {
    return InvalidJob("user", ToValidUtf8(spec.user), "is not user or user:group");
  }
  if (const auto parts = Split(spec.platform, '/');
      !spec.platform.empty() && (parts.size() < 2 || parts.size() > 3 ||
                                 !std::all_of(parts.begin(), parts.end(), IsEngineName))) {
    return InvalidJob("platform", ToValidUtf8(spec.platform), "is not such as linux/amd64");
  }
  if (!spec.working_dir.empty() && !IsPlainPath(spec.working_dir)) {
    return InvalidJob("working_dir", ToValidUtf8(spec.working_dir),
                      "is not an absolute path without '.', '..' and '//'");
  }
  return NoControl("registry_credentials", spec.registry_credentials);
}

absl::Status CheckLabels(const std::map<std::string, std::string>& labels) {
  for (const auto& [name, value] : labels) {
    const std::string field = "labels." + ToValidUtf8(name);
    if (name.empty()) return InvalidJob(field, value, "has no name");
    if (ToLower(name).starts_with("forebay.io/")) {
      return InvalidJob(field, value, "is a name that Forebay keeps for itself");
    }
    RETURN_IF_ERROR(NoControl(field, name));
    RETURN_IF_ERROR(NoControl(field, value));
  }
  return absl::OkStatus();
}

struct RawFields {
  std::string image, pull_policy;
  std::vector<std::string> volumes, cap_add, cap_drop;
};

void ReadPlain(JobFields& fields, DockerSpec& spec, RawFields& raw) {
  fields.Get("name", spec.display_name);
  fields.Get("labels", spec.labels);
  fields.Get("command", spec.command);
  if (const Json* given = fields.GetValue("entrypoint"); given != nullptr) {
    fields.Get("entrypoint", spec.entrypoint.emplace());
  }
  fields.Get("image", raw.image);
  fields.Get("image_pull_policy", raw.pull_policy);
  fields.Get("platform", spec.platform);
  fields.Get("registry_credentials", spec.registry_credentials);
  fields.Get("networks", spec.networks);
  fields.Get("network_mode", spec.network_mode);
  fields.Get("volumes", raw.volumes);
  fields.Get("working_dir", spec.working_dir);
  fields.Get("user", spec.user);
  fields.Get("privileged", spec.privileged);
  fields.Get("read_only", spec.read_only);
  fields.Get("cap_add", raw.cap_add);
  fields.Get("cap_drop", raw.cap_drop);
  fields.Get("pids_limit", spec.pids_limit, 1);
  fields.Get("auto_remove", spec.auto_remove);
  fields.Get("stream_output", spec.stream_output);
}

absl::Status ReadRaw(const RawFields& raw, DockerSpec& spec) {
  ASSIGN_OR_RETURN(spec.image, ParseImageReference(raw.image, "image"));
  ASSIGN_OR_RETURN(spec.pull_policy, ReadPullPolicy(raw.pull_policy, spec.image));
  RETURN_IF_ERROR(ReadVolumes(raw.volumes, spec));
  RETURN_IF_ERROR(ReadCapabilities("cap_add", raw.cap_add, spec.cap_add));
  return ReadCapabilities("cap_drop", raw.cap_drop, spec.cap_drop);
}

}  // namespace

absl::StatusOr<DockerSpec> TypeDockerSpec(const Json& configuration) {
  DockerSpec spec;
  RawFields raw;
  JobFields fields(configuration, "");
  const Json* env = fields.GetObject("env");
  ReadPlain(fields, spec, raw);
  const absl::Status sizes = ReadSizes(fields, spec);
  const absl::Status cpus = ReadCpus(fields.GetValue("cpus"), spec);
  const absl::Status gpus = ReadGpus(fields.GetValue("gpus"), spec);
  RETURN_IF_ERROR(fields.Finish());
  for (const absl::Status& read : {sizes, cpus, gpus}) RETURN_IF_ERROR(read);
  RETURN_IF_ERROR(ReadRaw(raw, spec));
  RETURN_IF_ERROR(CheckNetworks(spec));
  RETURN_IF_ERROR(CheckNames(spec));
  RETURN_IF_ERROR(CheckLabels(spec.labels));
  RETURN_IF_ERROR(CheckWords("command", spec.command));
  if (spec.entrypoint.has_value()) RETURN_IF_ERROR(CheckWords("entrypoint", *spec.entrypoint));
  if (spec.pids_limit > kMostPids) {
    return InvalidJob("pids_limit", std::to_string(spec.pids_limit), "is more than 4194304");
  }
  if (env != nullptr) RETURN_IF_ERROR(CheckEnvNames(*env));
  return spec;
}

}  // namespace forebay
