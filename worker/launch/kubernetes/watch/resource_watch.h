#pragma once

// One kind of object in one namespace: listed once, watched from then on, listed again when the
// server does not know any more where the watch was.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/base/backoff.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/api/own_stream.h"

namespace forebay::worker {

class ResourceWatch {
 public:
  // All are called from the thread of the API's streams, without locks.
  struct Sink {
    // A list begins: what it does not bring is gone.
    std::function<void()> list_begins;
    // The list has this object.
    std::function<void(const Json& object)> listing;
    // An object that is there, from a list or a watch.
    std::function<void(const Json& object)> present;
    // An object that went, as it was at the end.
    std::function<void(const Json& object)> gone;
    // The list is complete; it shows the state as of this resource version.
    std::function<void(int64_t resource_version)> listed;
    // How the last call ended: OK when a list is complete or a watch began well.
    std::function<void(const absl::Status&)> state;
  };
  ResourceWatch(KubernetesApi& api, ListQuery query, Sink sink);
  // Ends it; none of the sink's functions runs any more.
  ResourceWatch(const ResourceWatch&) = delete;
  ResourceWatch& operator=(const ResourceWatch&) = delete;

  void Start();

 private:
  void BeginList(const std::string& continued, absl::Duration delay);
  void TakePage(const absl::StatusOr<Json>& page);
  void BeginWatch(absl::Duration delay);
  void TakeChange(const Json& change);
  void WatchEnded(const absl::Status& ended);
  absl::Duration PauseAfter(const absl::Status& error);

  KubernetesApi& api_;
  const ListQuery query_;
  const Sink sink_;
  // The streams' thread's own.
  Backoff backoff_;
  std::string resource_version_;
  bool first_page_ = true;
  bool stale_ = false;
  bool began_ = false;

  // Last: ends the callbacks.
  OwnStream stream_;
};

// `metadata.resourceVersion` of an object or a list as a number, by which versions of one object
// are compared; 0 when there is none.
int64_t ResourceVersionOf(const Json& object);

}  // namespace forebay::worker
