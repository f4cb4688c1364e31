#include "common/job_spec/kubernetes_resources.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/job_spec/kubernetes_pod.h"
#include "common/job_template/pointer.h"

namespace forebay {
namespace {

std::optional<Quantity> Amount(const Json* amounts, const char* name) {
  const Json* amount = MemberOf(amounts, name);
  return amount == nullptr ? std::nullopt : QuantityOf(*amount);
}

std::optional<Quantity> AmountOf(const ContainerPlace& place, const char* kind, const char* name) {
  return Amount(MemberOf(MemberOf(place.container, "resources"), kind), name);
}

// Adds up what `amount` says of each container; nothing when it says nothing of one.
template <typename Amount>
std::optional<Quantity> Total(const std::vector<ContainerPlace>& places, const Amount& amount) {
  absl::int128 beside = 0, sidecars = 0, largest = 0;
  for (const ContainerPlace& place : places) {
    const std::optional<Quantity> one = amount(place);
    if (!one.has_value()) return std::nullopt;
    if (place.init && !place.sidecar) {
      largest = std::max(largest, one->nanos + sidecars);
    } else {
      beside += one->nanos;
    }
    if (place.sidecar) sidecars += one->nanos;
  }
  return Quantity{std::max(beside, largest)};
}

std::optional<Quantity> Limit(const std::vector<ContainerPlace>& places, const char* name) {
  return Total(places, [name](const auto& place) { return AmountOf(place, "limits", name); });
}

Quantity Request(const std::vector<ContainerPlace>& places, const char* name) {
  const auto of_one = [name](const ContainerPlace& place) -> std::optional<Quantity> {
    if (const auto request = AmountOf(place, "requests", name)) return request;
    return AmountOf(place, "limits", name).value_or(Quantity());
  };
  return Total(places, of_one).value_or(Quantity());
}

Quantity RequestOfPod(const Json& pod_spec, const char* name) {
  const Json* whole = MemberOf(MemberOf(&pod_spec, "resources"), "requests");
  const Quantity containers = Request(ContainersOfPod(&pod_spec), name);
  const Quantity overhead = Amount(MemberOf(&pod_spec, "overhead"), name).value_or(Quantity());
  return {Amount(whole, name).value_or(containers).nanos + overhead.nanos};
}

}  // namespace

PodRequests RequestsOfPod(const Json& pod_spec) {
  return {RequestOfPod(pod_spec, "cpu"), RequestOfPod(pod_spec, "memory")};
}

PodResources ResourcesOf(const Json& manifest) {
  const auto places = ContainersOf(manifest);
  PodResources all;
  all.cpu_request = Request(places, "cpu");
  all.memory_request = Request(places, "memory");
  all.cpu_limit = Limit(places, "cpu");
  all.memory_limit = Limit(places, "memory");
  for (const ContainerPlace& place : places) {
    for (const char* kind : {"requests", "limits"}) {
      const Json* amounts = MemberOf(MemberOf(place.container, "resources"), kind);
      if (amounts == nullptr) continue;
      for (const auto& [name, amount] : amounts->items()) {
        if (name == "cpu" || name == "memory") continue;
        all.others.push_back(
            {name, place.pointer + "/resources/" + kind + "/" + PointerStep(name)});
      }
    }
  }
  return all;
}

}  // namespace forebay
