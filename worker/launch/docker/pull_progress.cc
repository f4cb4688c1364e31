#include "worker/launch/docker/pull_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace forebay::worker {
namespace {

// Of an image of very many layers the rest is not told.
constexpr int kMostLines = 500;
constexpr double kBytesPerMegabyte = 1e6;
constexpr std::string_view kUntold[] = {"Waiting", "Verifying Checksum", "Preparing",
                                        "Pulling fs layer"};

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

int64_t NumberOf(const Json& message, const char* key) {
  const auto detail = message.find("progressDetail");
  if (detail == message.end() || !detail->is_object()) return 0;
  const auto found = detail->find(key);
  return found != detail->end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

bool HasAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

}  // namespace

void PullProgress::Take(const Json& message) {
  if (const std::string error = TextOf(message, "error"); !error.empty()) {
    error_ = error;
    return;
  }
  const std::string id = TextOf(message, "id");
  const std::string status = TextOf(message, "status");
  if (status.empty()) return;
  // "Pulling from library/x" comes with the tag as its id.
  if (!id.empty() && !status.starts_with("Pulling from")) return TakeLayer(id, status, message);
  Say(id.empty() ? status : fmt::format("{}: {}", id, status));
}

void PullProgress::TakeLayer(const std::string& id, const std::string& status,
                             const Json& message) {
  if (std::ranges::count(kUntold, status) > 0) return;
  const int64_t current = NumberOf(message, "current");
  const int64_t total = NumberOf(message, "total");
  const int64_t quarters = total > 0 ? current * 4 / total : 0;
  Layer& layer = layers_[id];
  if (layer.status == status && layer.quarters >= quarters) return;
  const bool begins = layer.status != status;
  layer = {status, quarters};
  if (total <= 0) return Say(fmt::format("layer {}: {}", id, status));
  const double size = static_cast<double>(total) / kBytesPerMegabyte;
  if (begins) return Say(fmt::format("layer {}: {} ({:.1f} MB)", id, status, size));
  Say(fmt::format("layer {}: {} {} % of {:.1f} MB", id, status, quarters * 25, size));
}

void PullProgress::Say(const std::string& line) {
  if (++said_ <= kMostLines) say_(line);
}

PullFailure PullFailureOf(std::string_view engine_says) {
  const std::string text = ToLower(engine_says);
  if (HasAny(text, {"no space left"})) return {"NO_SPACE", false};
  if (HasAny(text, {"manifest unknown", "not found", "name unknown", "no such image",
                    "name_unknown", "manifest_unknown"})) {
    return {"IMAGE_NOT_FOUND", false};
  }
  if (HasAny(text, {"unauthorized", "denied", "authentication required", "no basic auth",
                    "incorrect username"})) {
    return {"IMAGE_UNAUTHORIZED", false};
  }
  if (HasAny(text, {"no match for platform", "no matching manifest",
                    "does not match the specified platform"})) {
    return {"IMAGE_WRONG_PLATFORM", false};
  }
  if (HasAny(text, {"failed to register layer", "verification failed", "digest", "checksum"})) {
    return {"IMAGE_CORRUPT", false};
  }
  if (HasAny(text, {"timeout", "deadline exceeded", "timed out"})) {
    return {"IMAGE_PULL_TIMEOUT", true};
  }
  if (HasAny(text, {"invalid reference", "not a valid", "invalid repository"})) {
    return {"INVALID_JOB", false};
  }
  return {"REGISTRY_UNREACHABLE", true};
}

}  // namespace forebay::worker
