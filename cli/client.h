#pragma once

// Calls to a server's API.
//
// The method is found by the type of the request: each method has a request message of its own
// (buf's rule), so
//   ASSIGN_OR_RETURN(auto response, client.Call<v1::GetWorkPoolResponse>(request));
// is all that a command says. Thread-safe. The connection is made at the first call.
//
// Of several servers the first that can be reached is called, and another steps in when it goes
// away. A call that may have been carried out is repeated there only if that does no harm: reads,
// and what carries an idempotency key or a request id.

#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace forebay::cli {

class Client {
 public:
  struct Options {
    // host:port, or several with commas between.
    std::string server;
    // May be empty.
    std::string credential;
    std::string tls_ca_pem;
  };

  explicit Client(Options options);
  ~Client();

  // The server's error as it stands; UNAVAILABLE (SERVER_UNREACHABLE) with the next command when
  // there is no answer.
  template <typename Response>
  absl::StatusOr<Response> Call(const google::protobuf::Message& request,
                                absl::Duration deadline = kDefaultDeadline) {
    Response response;
    absl::Status status = CallUntyped(request, response, deadline);
    if (!status.ok()) return status;
    return response;
  }

  // Ends all calls, those to come included, with CANCELLED.
  void CancelCalls();

  const std::string& server() const { return options_.server; }

  static constexpr absl::Duration kDefaultDeadline = absl::Seconds(30);

 private:
  struct Connection;

  absl::Status CallUntyped(const google::protobuf::Message& request,
                           google::protobuf::Message& response, absl::Duration deadline);

  const Options options_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace forebay::cli
