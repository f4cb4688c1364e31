#include "worker/launch/kubernetes/watch/resource_watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
// A server that ends watches at once shall not be asked without a pause.
constexpr absl::Duration kBetweenWatches = absl::Milliseconds(100);
constexpr int64_t kGone = 410;

const Json& Part(const Json& object, const char* key) {
  static const Json none = Json::object();
  const auto found = object.find(key);
  return found != object.end() ? *found : none;
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

int64_t ResourceVersionOf(const Json& object) {
  return ParseInt(TextOf(Part(object, "metadata"), "resourceVersion")).value_or(0);
}

ResourceWatch::ResourceWatch(KubernetesApi& api, ListQuery query, Sink sink)
    : api_(api),
      query_(std::move(query)),
      sink_(std::move(sink)),
      backoff_(kFirstPause, kLongestPause, SystemRandom()),
      stream_(api) {}

void ResourceWatch::Start() { BeginList("", absl::ZeroDuration()); }

void ResourceWatch::BeginList(const std::string& continued, absl::Duration delay) {
  first_page_ = continued.empty();
  stream_.Track(api_.List(
      query_, continued, [this](const auto& page) { TakePage(page); }, delay));
}

void ResourceWatch::TakePage(const absl::StatusOr<Json>& page) {
  if (!page.ok()) {
    sink_.state(page.status());
    // A list whose pages have become too old is begun anew.
    return BeginList("", PauseAfter(page.status()));
  }
  if (first_page_) sink_.list_begins();
  for (const Json& object : Part(*page, "items")) {
    sink_.listing(object);
    sink_.present(object);
  }
  const std::string continued = TextOf(Part(*page, "metadata"), "continue");
  if (!continued.empty()) return BeginList(continued, absl::ZeroDuration());
  resource_version_ = TextOf(Part(*page, "metadata"), "resourceVersion");
  sink_.listed(ResourceVersionOf(*page));
  sink_.state(absl::OkStatus());
  backoff_.Reset();
  BeginWatch(absl::ZeroDuration());
}

void ResourceWatch::BeginWatch(absl::Duration delay) {
  stale_ = began_ = false;
  const auto began = [this] {
    began_ = true;
    backoff_.Reset();
    sink_.state(absl::OkStatus());
  };
  stream_.Track(api_.Watch(
      query_, resource_version_, began, [this](const Json& change) { TakeChange(change); },
      [this](const absl::Status& ended) { WatchEnded(ended); }, delay));
}

void ResourceWatch::TakeChange(const Json& change) {
  const std::string type = TextOf(change, "type");
  const Json& object = Part(change, "object");
  if (type == "ERROR") {
    const auto code = object.find("code");
    stale_ = code != object.end() && code->is_number_integer() && code->get<int64_t>() == kGone;
    return;
  }
  const std::string version = TextOf(Part(object, "metadata"), "resourceVersion");
  if (!version.empty()) resource_version_ = version;
  if (type == "ADDED" || type == "MODIFIED") sink_.present(object);
  if (type == "DELETED") sink_.gone(object);
}

void ResourceWatch::WatchEnded(const absl::Status& ended) {
  if (stale_ || absl::IsOutOfRange(ended)) return BeginList("", PauseAfter(ended));
  // Connections that live for minutes end now and then, also in the middle of an answer.
  // A server that neither says anything nor ends the watch in time may say the same to the next
  // one.
  if (absl::IsDeadlineExceeded(ended)) return BeginList("", absl::ZeroDuration());
  if (ended.ok()) return BeginWatch(kBetweenWatches);
  if (!began_) sink_.state(ended);
  BeginWatch(PauseAfter(ended));
}

absl::Duration ResourceWatch::PauseAfter(const absl::Status& error) {
  return std::max(backoff_.Next(), RetryAfter(error));
}

}  // namespace forebay::worker
