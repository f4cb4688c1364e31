#pragma once

// The worker put together by hand: which part knows which.

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "forebay/config/v1/worker_config.pb.h"

namespace forebay::worker {

// Fills what the configuration leaves open before it is read from anywhere.
config::v1::WorkerConfig DefaultConfig();

// One worker. Run and Ask may be called from different threads.
class App {
 public:
  // INVALID_ARGUMENT for a configuration that cannot work; nothing is contacted yet.
  static absl::StatusOr<std::unique_ptr<App>> Create(const config::v1::WorkerConfig& config);
  ~App();

  // Until drained, which is OK, or an error that a person has to look at; once. What runs goes on
  // running in either case.
  absl::Status Run();

  // The first time: take nothing new, finish what is held. The second: ask the runs to end.
  void AskToEnd();

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace forebay::worker
