#include "worker/launch/kubernetes/preparation_lines.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace forebay::worker {
namespace {

constexpr size_t kMostWords = 1000;

}  // namespace

std::optional<std::string> PreparationLine(const EventDigest& event) {
  // A line of the log is one line.
  const std::string message = ReplaceAll(CutUtf8(Trim(event.message), kMostWords), "\n", " ");
  if (event.warning) return fmt::format("{}: {}", event.reason, message);
  if (event.kind != "Pod") return std::nullopt;
  // An image that is there already is the usual case.
  const bool present = message.find("already present") != std::string::npos;
  if (event.reason == "Pulling" || (event.reason == "Pulled" && !present)) return message;
  if (event.reason == "TriggeredScaleUp" || event.reason == "NotTriggerScaleUp" ||
      event.reason == "SuccessfulAttachVolume" || event.reason == "Nominated") {
    return fmt::format("{}: {}", event.reason, message);
  }
  return std::nullopt;
}

std::string ScheduledLine(const std::string& node) { return "scheduled on " + node; }

std::string CreatedLine(const std::string& name_space, const std::string& name) {
  return fmt::format("created job {} in namespace {}", name, name_space);
}

}  // namespace forebay::worker
