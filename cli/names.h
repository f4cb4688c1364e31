#pragma once

// Resource names between what people type and what the API takes. Pure.

#include <string>
#include <string_view>

namespace forebay::cli {

// "my-pool" or "workPools/my-pool" -> "workPools/my-pool".
std::string PoolResource(std::string_view pool);
// "workPools/{pool}/queues/{queue}".
std::string QueueResource(std::string_view pool, std::string_view queue);
std::string RunResource(std::string_view run);
std::string WorkerResource(std::string_view worker);
std::string TokenResource(std::string_view token);

// What follows the last slash.
std::string LastSegment(std::string_view resource);
// "teams/t/flows/f/deployments/d" -> "f/d"; a short form stays.
std::string DeploymentShortName(std::string_view resource);
// "teams/t/flows/f/deployments/d/schedules/s" -> "f/d/s"; a short form stays.
std::string ScheduleShortName(std::string_view resource);
// The deployment of a schedule's name, long or short, in its short form.
std::string DeploymentOfSchedule(std::string_view resource);

}  // namespace forebay::cli
