#pragma once

// This worker in the eyes of the server: registers, adopts, beats, drains, leaves.

#include <functional>
#include <string>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "worker/launch/launcher.h"
#include "worker/render/renderer.h"
#include "worker/session/adopter.h"
#include "worker/session/lease.h"
#include "worker/session/poll_loop.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"
#include "worker/supervise/supervisor.h"

namespace forebay::worker {

// What is told about this worker when it registers; without instance and predecessors.
struct SessionOptions {
  v1::RegisterWorkerRequest registration;
  // For messages.
  std::string server_address;
  // The worker id of the process that had this state directory before; empty: none.
  std::string predecessor;
  // Called from Run after each registration; an error ends the session.
  std::function<absl::Status(const std::string& worker_id)> registered;
};

// Run belongs to one thread; everything else may be called from any.
class Session {
 public:
  struct Parts {
    ServerApi& api;
    Registration& registration;
    Launcher& launcher;
    Renderer& renderer;
    Lease& lease;
    Supervisor& supervisor;
    Outbox& outbox;
    const Clock& clock;
    Random& random;
    UuidSource& ids;
  };
  Session(Parts parts, SessionOptions options);

  // Until all is done after the registration was asked to end, which is OK, or an error that a
  // person has to look at. What runs then goes on running; a worker that is started again takes it
  // over. Registers again as often as the server forgets this worker. `poll_loop` must offer what
  // FreeSlots says and give its answers to Answered.
  absl::Status Run(PollLoop& poll_loop);

  // For the poll loop.
  int FreeSlots();
  void Answered(const v1::PollResponse& response);

 private:
  bool draining() { return parts_.registration.ending() != Ending::kNone; }
  // Both are false when it was lost or ended on the way, or there is nothing left to register for.
  bool Register();
  bool TakeOver();
  absl::Status Registered(const v1::RegisterWorkerResponse& response, absl::Duration sent);
  // Until the registration is lost or ended, or all is done.
  void Serve(PollLoop& poll_loop);
  void AdoptRound();
  void Beat();
  // Why nothing can be launched; empty: it can.
  std::string NotReadyReason();
  void TellDrain();
  bool Done(PollLoop& poll_loop);
  void Leave();
  // After an error of a call of the session's own.
  void Failed(const absl::Status& error, std::string_view what);

  const Parts parts_;
  SessionOptions options_;
  Adopter adopter_;
  Backoff backoff_;
  std::string worker_id_;
  absl::Duration beat_interval_;
  absl::Duration next_beat_;
  absl::Duration next_round_;
  // What the server was told last of why nothing can be launched.
  std::string told_not_ready_;
  bool drain_told_ = false;
  bool server_silent_ = false;
};

}  // namespace forebay::worker
