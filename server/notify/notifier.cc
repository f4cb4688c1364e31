#include "server/notify/notifier.h"

#include <array>

#include "common/base/text.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kBetweenSends = absl::Milliseconds(40);

struct KindName {
  NoticeKind kind;
  std::string_view name;
};
constexpr std::array kKinds = {
    KindName{NoticeKind::kWork, "work"}, KindName{NoticeKind::kCommand, "command"},
    KindName{NoticeKind::kPool, "pool"}, KindName{NoticeKind::kRuns, "runs"}};

}  // namespace

Notifier::Notifier(const std::string& url, const Uuid& server, Heard heard)
    : sender_(server.ToString()),
      heard_(std::move(heard)),
      thread_([this, url] { SendLoop(url); }),
      listener_(std::make_unique<Listener>(
          url, "forebay", [this](const std::string& payload) { Receive(payload); }, [] {})) {}

Notifier::~Notifier() {
  listener_.reset();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void Notifier::Tell(NoticeKind kind, const Uuid& id) {
  const std::string payload =
      std::string(kKinds[static_cast<size_t>(kind)].name) + " " + id.ToString() + " " + sender_;
  MutexLock lock(mutex_);
  if (pending_.insert(payload).second && pending_.size() == 1) wake_.NotifyOne();
}

void Notifier::Receive(const std::string& payload) {
  const auto parts = Split(payload, ' ');
  if (parts.size() != 3 || parts[2] == sender_) return;
  const auto id = Uuid::Parse(parts[1]);
  for (const KindName& known : kKinds) {
    if (known.name == parts[0] && id.has_value()) heard_(known.kind, *id);
  }
}

void Notifier::SendLoop(const std::string& url) {
  Session session(url);
  for (;;) {
    ArrayLiteral payloads;
    {
      MutexLock lock(mutex_);
      while (pending_.empty() && !stopping_) wake_.Wait(mutex_);
      if (stopping_) return;
      for (const std::string& payload : pending_) payloads.Text(payload);
      pending_.clear();
    }
    session.Run(queries::kNotify, Args().Array(payloads.Take())).status().IgnoreError();
    MutexLock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, kBetweenSends);
    if (stopping_) return;
  }
}

}  // namespace forebay::server
