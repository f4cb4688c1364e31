#include "worker/launch/docker/pull_progress.h"

#include <fmt/format.h>

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

}  // namespace forebay::worker
