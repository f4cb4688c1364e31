#pragma once

// What every command gets: where to write, how, and which server to ask. One per process; the
// client may be used by several threads, the rest by one.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/output/format.h"
#include "cli/settings.h"
#include "common/base/clock.h"

namespace forebay::cli {

// From the options that every command takes, and the environment.
struct SessionOptions {
  // --server, else FOREBAY_SERVER.
  std::string server;
  // --context, else FOREBAY_CONTEXT.
  std::string context;
  // FOREBAY_API_KEY.
  std::string api_key;
  std::filesystem::path config_directory;
  OutputOptions output;
};

// The server to ask and the credential for it: an explicit address wins over the context; its key
// is then the one of the context with that address, so that no key is shown to a server it was not
// made for. NOT_FOUND (CONTEXT_NOT_FOUND, FILE_NOT_FOUND).
absl::StatusOr<Profile> ResolveProfile(const SessionOptions& options, const Settings& settings);

class Session {
 public:
  Session(SessionOptions options, std::ostream& out, std::ostream& err, const Clock& clock);

  // Data: what was asked for.
  std::ostream& out() { return out_; }
  // One line of narration on standard error.
  void Say(std::string_view line);
  // The client of the resolved server.
  absl::StatusOr<Client*> client();
  // Address, key and authority of the resolved server; the key is read from its file.
  absl::StatusOr<Profile> profile();

  const OutputOptions& output() const { return options_.output; }
  const std::filesystem::path& config_directory() const { return options_.config_directory; }
  const Clock& clock() const { return clock_; }

 private:
  const SessionOptions options_;
  std::ostream& out_;
  std::ostream& err_;
  const Clock& clock_;
  std::unique_ptr<Client> client_;
};

}  // namespace forebay::cli
