#include "cli/names.h"

#include <fmt/format.h>

#include <vector>

#include "common/base/text.h"

namespace forebay::cli {
namespace {

std::string WithCollection(std::string_view collection, std::string_view name) {
  if (name.starts_with(collection)) return std::string(name);
  return fmt::format("{}{}", collection, name);
}

}  // namespace

std::string PoolResource(std::string_view pool) { return WithCollection("workPools/", pool); }
std::string QueueResource(std::string_view pool, std::string_view queue) {
  return fmt::format("{}/queues/{}", PoolResource(pool), queue);
}
std::string RunResource(std::string_view run) { return WithCollection("flowRuns/", run); }
std::string WorkerResource(std::string_view worker) { return WithCollection("workers/", worker); }
std::string TokenResource(std::string_view token) { return WithCollection("tokens/", token); }

std::string LastSegment(std::string_view resource) {
  return std::string(resource.substr(resource.rfind('/') + 1));
}

std::string DeploymentShortName(std::string_view resource) {
  const auto parts = Split(resource, '/');
  if (parts.size() != 6) return std::string(resource);
  return fmt::format("{}/{}", parts[3], parts[5]);
}

std::string ScheduleShortName(std::string_view resource) {
  const auto parts = Split(resource, '/');
  if (parts.size() != 8) return std::string(resource);
  return fmt::format("{}/{}/{}", parts[3], parts[5], parts[7]);
}

std::string DeploymentOfSchedule(std::string_view resource) {
  const std::string name = ScheduleShortName(resource);
  return name.substr(0, name.rfind('/'));
}

}  // namespace forebay::cli
