#include "common/obs/log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <memory>
#include <string>

#include "common/base/status.h"

namespace forebay {
namespace {

struct Level {
  std::string_view name;
  spdlog::level::level_enum value;
};
constexpr std::array kLevels = {
    Level{"error", spdlog::level::err}, Level{"warn", spdlog::level::warn},
    Level{"info", spdlog::level::info}, Level{"debug", spdlog::level::debug}};

}  // namespace

absl::Status InitLog(std::string_view process, std::string_view level) {
  for (const Level& known : kLevels) {
    if (known.name != level) continue;
    auto logger = spdlog::stderr_logger_mt(std::string(process));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %n %v", spdlog::pattern_time_type::utc);
    logger->set_level(known.value);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_LOG_LEVEL")
      .Field("log_level", level)
      .With("allowed", "error, warn, info, debug")
      .Says("log_level '{}' is not one of error, warn, info, debug", level);
}

}  // namespace forebay
