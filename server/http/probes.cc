#include "server/http/probes.h"

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(2);

HttpResponse Word(int status, std::string word) {
  return {status, "text/plain; charset=utf-8", std::move(word) + "\n", {}};
}

}  // namespace

bool Probes::Answer(const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  const bool live = request.path == "/livez";
  if (!live && request.path != "/readyz") return false;
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = Word(405, "ask by GET");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    exchange->Answer(std::move(refused));
  } else if (live) {
    exchange->Answer(Word(200, "ok"));
  } else if (stopping_) {
    exchange->Answer(Word(503, "this server is shutting down"));
  } else {
    Ask(exchange);
  }
  return true;
}

void Probes::Ask(const std::shared_ptr<HttpExchange>& exchange) {
  std::weak_ptr<HttpExchange> weak = exchange;
  exchange->OnLate(kPatience, [weak] {
    if (const auto waiting = weak.lock())
      waiting->Answer(Word(503, "the database has not answered for 2 s"));
  });
  MutexLock lock(mutex_);
  waiting_.push_back(exchange);
  if (waiting_.size() > 1) return;
  const absl::Status queued = executor_.Submit([this](Session& session) {
    const absl::Status asked = session.Run(queries::kDatabaseFacts, {}).status();
    AnswerAll(asked.ok() ? Word(200, "ok") : Word(503, std::string(MessageOf(asked))));
  });
  if (queued.ok()) return;
  exchange->Answer(Word(503, std::string(MessageOf(queued))));
  waiting_.clear();
}

void Probes::AnswerAll(const HttpResponse& response) {
  std::vector<std::shared_ptr<HttpExchange>> waiting;
  {
    MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& exchange : waiting) exchange->Answer(response);
}

}  // namespace forebay::server
