#pragma once

// The server, wired by hand. Reads top to bottom in the order of construction; what is built later
// uses what is built earlier, and is destroyed first.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "forebay/config/v1/server_config.pb.h"

namespace forebay::server {

class App {
 public:
  // Takes the data directory, starts or reaches the database, migrates it and listens. Called on
  // the main thread. Errors are for the user: field, value and the next command.
  static absl::StatusOr<std::unique_ptr<App>> Start(const config::v1::ServerConfig& config);
  // Finishes what is under way and stops, in reverse order of Start.
  ~App();

  // host:port that it listens on.
  const std::string& address() const;
  // Where others reach its HTTP listener; empty: nowhere.
  const std::string& http_url() const;

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Fills absent fields with their defaults and refuses what is out of range.
absl::Status CompleteConfig(config::v1::ServerConfig& config);

}  // namespace forebay::server
