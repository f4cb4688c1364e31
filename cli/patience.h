#pragma once

// Repeats a call while the server is away.

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/session.h"
#include "common/base/backoff.h"
#include "common/base/random.h"

namespace forebay::cli {

// One per followed thing; not thread-safe.
class Patience {
 public:
  // `narrate`: whether this one tells the user that the connection is lost and found.
  Patience(Session& session, bool narrate)
      : session_(session),
        narrate_(narrate),
        backoff_(absl::Milliseconds(100), absl::Seconds(2), SystemRandom()) {}

  // The call's answer. Once a call has succeeded, unavailability is waited out for up to five
  // minutes; before that it is an answer like any other, because the user may have mistyped the
  // address.
  absl::Status Keep(absl::FunctionRef<absl::Status()> call);

 private:
  Session& session_;
  const bool narrate_;
  bool succeeded_ = false;
  Backoff backoff_;
};

}  // namespace forebay::cli
