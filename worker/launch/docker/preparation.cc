#include "worker/launch/docker/preparation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "worker/launch/docker/container_state.h"
#include "worker/launch/docker/labels.h"
#include "worker/launch/docker/pull_progress.h"

namespace forebay::worker {
namespace {

// A pull that takes longer is ended before the server gives the attempt up, so that its reason is
// known.
constexpr double kShareOfDeadline = 0.9;
constexpr absl::Duration kLongestPull = absl::Hours(24);

absl::Status Failed(absl::StatusCode code, std::string_view reason, const DockerSpec& spec,
                    std::string_view message) {
  return Error(code, reason).Field("image", spec.image.ToString()).Says("{}", message);
}

absl::Status PullFailed(const DockerSpec& spec, std::string_view engine_says) {
  const PullFailure failure = PullFailureOf(engine_says);
  return Failed(
      failure.retryable ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition,
      failure.reason, spec, fmt::format("cannot pull {}: {}", spec.image.ToString(), engine_says));
}

absl::Duration PullTimeout(const PreparationParts& parts, const LaunchSpec& launch) {
  if (launch.start_deadline == absl::InfiniteFuture()) return kLongestPull;
  return std::max((launch.start_deadline - parts.clock.Now()) * kShareOfDeadline, absl::Seconds(1));
}

absl::Status Pull(const PreparationParts& parts, const LaunchSpec& launch, const DockerSpec& spec,
                  Cancellation& cancellation) {
  const std::string image = spec.image.ToString();
  const absl::Duration timeout = PullTimeout(parts, launch);
  parts.say(fmt::format("pulling {}", image));
  PullProgress progress(parts.say);
  const absl::Status pulled = parts.engine.PullImage(
      image, spec.platform, parts.registry_auth, timeout,
      [&progress](const Json& message) { progress.Take(message); }, cancellation);
  if (!progress.error().empty()) return PullFailed(spec, progress.error());
  if (absl::IsDeadlineExceeded(pulled)) {
    return Failed(absl::StatusCode::kUnavailable, "IMAGE_PULL_TIMEOUT", spec,
                  fmt::format("{} was not pulled within {}", image,
                              absl::FormatDuration(absl::Trunc(timeout, absl::Seconds(1)))));
  }
  if (pulled.ok() || absl::IsCancelled(pulled)) return pulled;
  if (ReasonOf(pulled) == "ENGINE_REFUSED") return PullFailed(spec, MessageOf(pulled));
  return pulled;
}

absl::StatusOr<bool> IsHere(const PreparationParts& parts, const DockerSpec& spec) {
  const auto image = parts.engine.InspectImage(spec.image.ToString());
  if (image.ok()) return true;
  if (absl::IsNotFound(image.status())) return false;
  return image.status();
}

absl::Status NotHere(const DockerSpec& spec) {
  return Failed(absl::StatusCode::kFailedPrecondition, "IMAGE_NOT_FOUND", spec,
                fmt::format("the engine does not have {}, and image_pull_policy is Never",
                            spec.image.ToString()));
}

absl::Status EnsureImage(const PreparationParts& parts, const LaunchSpec& launch,
                         const DockerSpec& spec, Cancellation& cancellation) {
  if (spec.pull_policy == PullPolicy::kAlways) return Pull(parts, launch, spec, cancellation);
  ASSIGN_OR_RETURN(const bool here, IsHere(parts, spec));
  switch (spec.pull_policy) {
    case PullPolicy::kNever:
      return here ? absl::OkStatus() : NotHere(spec);
    case PullPolicy::kIfPossible: {
      const absl::Status pulled = Pull(parts, launch, spec, cancellation);
      if (pulled.ok() || !here || absl::IsCancelled(pulled)) return pulled;
      parts.say(fmt::format("{}; going on with the image that is here", MessageOf(pulled)));
      return absl::OkStatus();
    }
    default:
      return here ? absl::OkStatus() : Pull(parts, launch, spec, cancellation);
  }
}

// Whether the container of that name is this attempt's.
absl::Status CheckOwner(const Json& container, const LaunchSpec& launch) {
  const auto config = container.find("Config");
  const Json labels = config != container.end() ? config->value("Labels", Json()) : Json();
  for (const auto& [name, value] : launch.labels) {
    if (name.ends_with("/run-id") && LabelOf(labels, name) != value) {
      return Error(absl::StatusCode::kFailedPrecondition, "NAME_TAKEN")
          .Field("name", launch.name)
          .Says("a container named {} exists, and it is not this run's", launch.name);
    }
  }
  return absl::OkStatus();
}

absl::Status CreateFailed(const absl::Status& error, const DockerSpec& spec) {
  if (ReasonOf(error) != "ENGINE_REFUSED") return error;
  const std::string_view message = MessageOf(error);
  if (absl::IsNotFound(error) && message.starts_with("No such image")) return NotHere(spec);
  return Failed(absl::StatusCode::kFailedPrecondition, LaunchFailureOf(message), spec,
                fmt::format("the engine refuses to create the container: {}", message));
}

// A create whose name is taken, or whose answer did not come, is settled by a look at who has the
// name. Nothing is created twice.
absl::Status Create(const PreparationParts& parts, const LaunchSpec& launch, const DockerSpec& spec,
                    const Json& body, Cancellation& cancellation) {
  const auto created = parts.engine.CreateContainer(launch.name, spec.platform, body, cancellation);
  if (created.ok() || absl::IsCancelled(created.status())) return created.status();
  const bool unclear = absl::IsAlreadyExists(created.status()) ||
                       absl::IsUnavailable(created.status()) ||
                       absl::IsDeadlineExceeded(created.status());
  if (!unclear) return CreateFailed(created.status(), spec);
  const auto found = parts.engine.InspectContainer(launch.name);
  return found.ok() ? CheckOwner(*found, launch) : CreateFailed(created.status(), spec);
}

// The first network is joined at creation.
absl::Status JoinNetworks(const PreparationParts& parts, const LaunchSpec& launch,
                          const DockerSpec& spec, Cancellation& cancellation) {
  for (size_t i = 1; i < spec.networks.size(); ++i) {
    const absl::Status joined =
        parts.engine.ConnectNetwork(spec.networks[i], launch.name, cancellation);
    // It is connected already when this is a repeat.
    const bool repeated = MessageOf(joined).find("already exists in network") != std::string::npos;
    if (!joined.ok() && !repeated) return CreateFailed(joined, spec);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Prepare(const PreparationParts& parts, const LaunchSpec& launch,
                     const DockerSpec& spec, CreateContext context, Cancellation& cancellation) {
  RETURN_IF_ERROR(EnsureImage(parts, launch, spec, cancellation));
  context.preparation_lines = parts.said();
  ASSIGN_OR_RETURN(const Json body, CreateRequest(launch, spec, context));
  absl::Status made = Create(parts, launch, spec, body, cancellation);
  const bool ours = made.ok() || absl::IsCancelled(made);
  if (made.ok()) made = JoinNetworks(parts, launch, spec, cancellation);
  if (!made.ok() && ours) (void)parts.engine.RemoveContainer(launch.name);
  return made;
}

}  // namespace forebay::worker
