#include "worker/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>

#include "common/base/status.h"
#include "common/rpc/server_list.h"

namespace forebay::worker {
namespace {

constexpr int kMostSlots = 10'000;
constexpr size_t kMostNameBytes = 63;
constexpr int64_t kMostLogBytes = int64_t{1} << 40;

absl::Status CheckRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, std::to_string(value))
      .Says("{} is {}; it must be between {} and {}", field, value, least, most);
}

absl::Status CheckPresent(std::string_view field, std::string_view flag, std::string_view value) {
  if (!value.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "MISSING_SETTING")
      .Field(field, value)
      .Next("forebay-worker --help")
      .Says("{} is not set: give it with {}", field, flag);
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "worker";
  return std::string(name.data()).substr(0, kMostNameBytes);
}

}  // namespace

config::v1::WorkerConfig DefaultConfig() {
  config::v1::WorkerConfig config;
  config.set_server("127.0.0.1:7070");
  config.set_limit(static_cast<int32_t>(std::max(std::thread::hardware_concurrency(), 1U)));
  config.set_log_level("info");
  config.set_docker_host("unix:///var/run/docker.sock");
  config.set_log_rate_bytes(1 << 20);
  config.set_log_burst_bytes(4 << 20);
  return config;
}

absl::Status CheckConfig(config::v1::WorkerConfig& config) {
  RETURN_IF_ERROR(CheckPresent("server", "--server", config.server()));
  RETURN_IF_ERROR(ParseServerList(config.server()).status());
  RETURN_IF_ERROR(CheckPresent("pool", "--pool", config.pool()));
  RETURN_IF_ERROR(CheckPresent("key_file", "--key-file", config.key_file()));
  RETURN_IF_ERROR(CheckRange("limit", config.limit(), 1, kMostSlots));
  RETURN_IF_ERROR(CheckRange("log_rate_bytes", config.log_rate_bytes(), 1, kMostLogBytes));
  RETURN_IF_ERROR(CheckRange("log_burst_bytes", config.log_burst_bytes(), 1, kMostLogBytes));
  if (config.docker_tls_certificate_file().empty() != config.docker_tls_key_file().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "MISSING_SETTING")
        .Field("docker_tls_key_file", config.docker_tls_key_file())
        .Says("docker_tls_certificate_file and docker_tls_key_file belong together: give both");
  }
  if (config.name().empty()) config.set_name(HostName());
  return absl::OkStatus();
}

}  // namespace forebay::worker
