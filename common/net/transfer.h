#pragma once

// One call by libcurl, from its request to its answer: what HttpClient and HttpStreams have in
// common. Not for others.

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/net/curl_library.h"
#include "common/net/http_client.h"

namespace forebay {

// A handle that makes one call after the other. Not thread-safe.
class Transfer {
 public:
  explicit Transfer(const CurlLibrary& curl);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Makes the handle ready to be performed. Both must outlive the call.
  void Prepare(const HttpServer& server, const HttpRequest& request);
  CURL* handle() const { return easy_; }
  // What a performed call came to, as HttpClient::Do.
  absl::StatusOr<HttpResponse> Outcome(CURLcode code);

 private:
  static size_t OnBody(char* data, size_t size, size_t count, void* transfer);
  static size_t OnHeader(char* data, size_t size, size_t count, void* transfer);
  bool Take(std::string_view bytes);
  void TakeHeader(std::string_view line);
  void HeadersEnded();
  void PrepareServer(const HttpServer& server);
  void PrepareBody(const HttpRequest& request);
  void AddHeader(const std::string& header);
  absl::Status TransferError(CURLcode code) const;

  const CurlLibrary& curl_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  const HttpRequest* request_ = nullptr;
  HttpResponse response_;
  bool too_large_ = false;
  bool sink_done_ = false;
};

}  // namespace forebay
