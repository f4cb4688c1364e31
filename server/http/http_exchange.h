#pragma once

// One HTTP request and the way back to its client. Made by the connection, given to the handler.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace forebay::server {

struct HttpRequest {
  // "GET", "POST", …
  std::string method;
  // Up to the '?', as sent; and what stands behind it.
  std::string path;
  std::string query;
  // Names in lower case; of a name sent twice, the first value.
  std::map<std::string, std::string> headers;
  std::string body;

  // Empty when it was not sent.
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  // Further ones.
  std::vector<std::pair<std::string, std::string>> headers;
};

// Thread-safe. The last reference that goes without an answer ends the connection.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual const HttpRequest& request() const = 0;
  // The first answer is sent, others are ignored.
  virtual void Answer(HttpResponse response) = 0;
  // Runs `hook` once, on a thread of the listener, when the client goes away before there is an
  // answer; forgotten with the answer.
  virtual void OnGone(absl::AnyInvocable<void()> hook) = 0;
  // The same after a time.
  virtual void OnLate(absl::Duration time, absl::AnyInvocable<void()> hook) = 0;
};

// Called on a thread of the listener; must not block.
using HttpHandler = std::function<void(const std::shared_ptr<HttpExchange>&)>;

}  // namespace forebay::server
