#include "worker/session/session.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {

namespace {

constexpr absl::Duration kLeastBeat = absl::Milliseconds(100);

bool NeedsAPerson(const absl::Status& error) {
  return VerdictOn(error) == Verdict::kFatal || absl::IsInvalidArgument(error) ||
         absl::IsFailedPrecondition(error) || absl::IsAlreadyExists(error);
}

}  // namespace

Session::Session(Parts parts, SessionOptions options)
    : parts_(parts),
      options_(std::move(options)),
      adopter_(parts_.launcher, parts_.supervisor, parts_.api),
      backoff_(RetryPauses(parts_.random)) {}

absl::Status Session::Run(PollLoop& poll_loop) {
  while (!parts_.registration.ended()) {
    if (Register() && TakeOver()) {
      parts_.registration.Open(worker_id_);
      Serve(poll_loop);
    }
    if (parts_.registration.ended()) break;
    // Nothing is begun under a lease that is over, and what runs is adopted under the next.
    parts_.lease.Lose();
    parts_.supervisor.GiveUpAll();
    spdlog::warn("the server does not know this worker any more; registering anew");
  }
  return parts_.registration.status();
}

bool Session::Register() {
  v1::RegisterWorkerRequest& request = options_.registration;
  request.set_instance_id(parts_.ids.Next().ToString());
  request.clear_replaces();
  const std::string& before = worker_id_.empty() ? options_.predecessor : worker_id_;
  if (!before.empty()) request.add_replaces(before);
  while (!parts_.registration.ended()) {
    if (draining() && parts_.launcher.Find().empty()) {
      parts_.registration.End(absl::OkStatus());
      return false;
    }
    request.set_not_ready_reason(NotReadyReason());
    const absl::Duration sent = parts_.clock.Monotonic();
    const auto response = parts_.api.Register(request);
    absl::Status status = response.ok() ? Registered(*response, sent) : response.status();
    if (status.ok()) return true;
    if (ReasonOf(status) == "INSTANCE_ENDED") {
      request.set_instance_id(parts_.ids.Next().ToString());
    } else if (NeedsAPerson(status)) {
      parts_.registration.End(status);
    } else {
      Failed(status, "registering");
      parts_.registration.Sleep(backoff_.Next());
    }
  }
  return false;
}

absl::Status Session::Registered(const v1::RegisterWorkerResponse& response, absl::Duration sent) {
  backoff_.Reset();
  worker_id_ = response.worker_id();
  server_silent_ = false;
  drain_told_ = false;
  parts_.launcher.SetPool(response.pool().uid());
  parts_.renderer.SetPool(response.pool());
  parts_.renderer.SetWorkerId(worker_id_);
  parts_.renderer.SetApiUrl(response.http_url());
  parts_.lease.Renew(sent, ToDuration(response.pool().lease_ttl()));
  beat_interval_ = std::max(ToDuration(response.heartbeat_interval()), kLeastBeat);
  told_not_ready_ = options_.registration.not_ready_reason();
  next_beat_ = sent + beat_interval_;
  return options_.registered(worker_id_);
}

bool Session::TakeOver() {
  while (!parts_.registration.ended()) {
    const auto again = adopter_.Round(worker_id_);
    if (again.ok()) {
      next_round_ = parts_.clock.Monotonic() + *again;
      return true;
    }
    if (VerdictOn(again.status()) == Verdict::kUnknownWorker) return false;
    Failed(again.status(), "adopting");
    parts_.registration.Sleep(backoff_.Next());
  }
  return false;
}

void Session::Serve(PollLoop& poll_loop) {
  while (parts_.registration.IsCurrent(worker_id_)) {
    const absl::Duration now = parts_.clock.Monotonic();
    if (now >= next_round_) AdoptRound();
    if (now >= next_beat_ || NotReadyReason() != told_not_ready_) Beat();
    if (draining() && !drain_told_) TellDrain();
    if (parts_.registration.ending() == Ending::kStopRuns) parts_.supervisor.StopAll();
    if (Done(poll_loop)) {
      Leave();
      parts_.registration.End(absl::OkStatus());
    } else {
      parts_.registration.Sleep(std::min(next_beat_, next_round_) - parts_.clock.Monotonic());
    }
  }
}

void Session::AdoptRound() {
  const auto again = adopter_.Round(worker_id_);
  if (!again.ok()) Failed(again.status(), "adopting");
  next_round_ = parts_.clock.Monotonic() + (again.ok() ? *again : backoff_.Next());
}

void Session::Beat() {
  v1::HeartbeatRequest request;
  request.set_worker_id(worker_id_);
  for (v1::AttemptRef& held : parts_.supervisor.Held()) *request.add_held() = std::move(held);
  request.set_not_ready_reason(NotReadyReason());
  const absl::Duration sent = parts_.clock.Monotonic();
  const auto response = parts_.api.Heartbeat(request);
  if (!response.ok()) {
    Failed(response.status(), "heartbeat");
    next_beat_ = parts_.clock.Monotonic() + backoff_.Next();
    return;
  }
  if (std::exchange(server_silent_, false)) {
    spdlog::info("the server at {} answers again", options_.server_address);
  }
  backoff_.Reset();
  told_not_ready_ = request.not_ready_reason();
  for (const v1::StopCommand& stop : response->stops()) parts_.supervisor.Stop(stop);
  parts_.lease.Renew(sent, ToDuration(response->lease_ttl()));
  parts_.supervisor.LeaseRenewed();
  parts_.supervisor.LookAtAll();
  beat_interval_ = std::max(ToDuration(response->heartbeat_interval()), kLeastBeat);
  next_beat_ = sent + beat_interval_;
}

std::string Session::NotReadyReason() { return std::string(MessageOf(parts_.launcher.Ready())); }

void Session::Failed(const absl::Status& error, std::string_view what) {
  const Verdict verdict = VerdictOn(error);
  if (verdict == Verdict::kUnknownWorker) return parts_.registration.Lose(worker_id_);
  if (verdict == Verdict::kFatal) return parts_.registration.End(error);
  if (std::exchange(server_silent_, true)) return;
  spdlog::warn("{}: the server at {} cannot be reached ({}); trying again", what,
               options_.server_address, MessageOf(error));
}

void Session::TellDrain() {
  v1::DrainWorkerRequest request;
  request.set_worker_id(worker_id_);
  const auto response = parts_.api.Drain(request);
  drain_told_ = response.ok();
  // Told again with the next beat; until then the polls ask for nothing.
  if (!response.ok()) Failed(response.status(), "draining");
}

bool Session::Done(PollLoop& poll_loop) {
  if (!draining() || !parts_.supervisor.idle() || !parts_.outbox.empty()) return false;
  // Without a lease the server gives what it had granted to another.
  return (drain_told_ && poll_loop.offers_nothing()) || !parts_.lease.holds();
}

void Session::Leave() {
  v1::DeregisterWorkerRequest request;
  request.set_worker_id(worker_id_);
  const auto response = parts_.api.Deregister(request);
  if (!response.ok()) spdlog::debug("not deregistered: {}", MessageOf(response.status()));
}

int Session::FreeSlots() {
  if (draining() || !parts_.launcher.Ready().ok()) return 0;
  return std::max(options_.registration.slots() - parts_.supervisor.held_count(), 0);
}

void Session::Answered(const v1::PollResponse& response) {
  if (response.has_pool()) parts_.renderer.SetPool(response.pool());
  for (const v1::StopCommand& stop : response.stops()) parts_.supervisor.Stop(stop);
  for (const v1::Assignment& assignment : response.assignments()) {
    parts_.supervisor.Assign(assignment);
  }
  if (response.drain() && !draining()) {
    spdlog::info("the server asks this worker to drain");
    parts_.registration.Ask(Ending::kDrain);
  }
}

}  // namespace forebay::worker
