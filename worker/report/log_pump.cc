#include "worker/report/log_pump.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/launch/attempt_name.h"

namespace forebay::worker {

namespace {

// Of one call, and of one run in a call: a run that writes a lot leaves room for the others.
constexpr size_t kCallBytes = 1 << 20;
constexpr size_t kPartBytes = 128 << 10;
constexpr int kPartLines = 2000;
constexpr size_t kMostParts = 200;

}  // namespace

LogPump::LogPump(Launcher& launcher, ServerApi& api, Registration& registration, Random& random,
                 Sink sink)
    : launcher_(launcher),
      api_(api),
      registration_(registration),
      sink_(std::move(sink)),
      backoff_(RetryPauses(random)),
      thread_([this] { Run(); }) {}

void LogPump::Shut() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void LogPump::Follow(const v1::AttemptRef& attempt, int64_t from, bool final) {
  MutexLock lock(mutex_);
  const auto [entry, fresh] = sources_.try_emplace(NameOf(attempt));
  Source& source = entry->second;
  if (fresh || source.attempt.epoch() != attempt.epoch()) {
    source = Source();
    source.attempt = attempt;
    source.next = from;
  }
  source.next = std::min(source.next, from);
  source.final = source.final || final;
  source.changed = true;
  wake_.NotifyAll();
}

void LogPump::Changed(const std::string& name) {
  MutexLock lock(mutex_);
  const auto entry = sources_.find(name);
  if (entry == sources_.end()) return;
  entry->second.changed = true;
  wake_.NotifyAll();
}

void LogPump::Forget(const std::string& name) {
  MutexLock lock(mutex_);
  sources_.erase(name);
}

void LogPump::Clear() {
  MutexLock lock(mutex_);
  sources_.clear();
}

std::vector<LogPump::Part> LogPump::NextParts() {
  MutexLock lock(mutex_);
  std::vector<Part> parts;
  const auto take = [&](auto from, auto to) {
    for (auto it = from; it != to && parts.size() < kMostParts; ++it) {
      Source& source = it->second;
      // Changes from now on are changes since this reading.
      if (!std::exchange(source.changed, false)) continue;
      parts.push_back({it->first, source.attempt, source.next, source.final});
    }
  };
  while (!ending_) {
    const auto middle = sources_.upper_bound(cursor_);
    take(middle, sources_.end());
    take(sources_.begin(), middle);
    if (!parts.empty()) break;
    wake_.Wait(mutex_);
  }
  return parts;
}

bool LogPump::ReadPart(const Part& part, v1::AttemptLogs& logs) {
  auto lines = launcher_.ReadLog(part.name, part.first, kPartLines, kPartBytes);
  if (!lines.ok())
    spdlog::debug("{}: output cannot be read: {}", part.name, MessageOf(lines.status()));
  if (!lines.ok() || lines->empty()) return false;
  *logs.mutable_attempt() = part.attempt;
  logs.set_first_sequence(part.first);
  for (v1::LogEntry& line : *lines) *logs.add_entries() = std::move(line);
  return true;
}

void LogPump::Read(std::vector<Part>& parts, v1::AppendAttemptLogsRequest& request) {
  std::vector<Part> filled;
  size_t bytes = 0;
  for (Part& part : parts) {
    if (bytes >= kCallBytes) {
      Changed(part.name);
      continue;
    }
    v1::AttemptLogs logs;
    if (ReadPart(part, logs)) {
      bytes += logs.ByteSizeLong();
      *request.add_logs() = std::move(logs);
      // There may be more than its share.
      Changed(part.name);
      filled.push_back(std::move(part));
    } else if (part.final) {
      sink_.arrived(part.attempt, part.first, true);
    }
  }
  parts = std::move(filled);
  if (parts.empty()) return;
  MutexLock lock(mutex_);
  cursor_ = parts.back().name;
}

void LogPump::Run() {
  while (true) {
    const std::string worker = registration_.WaitForId();
    std::vector<Part> parts = worker.empty() ? std::vector<Part>() : NextParts();
    if (parts.empty()) return;
    v1::AppendAttemptLogsRequest request;
    request.set_worker_id(worker);
    Read(parts, request);
    if (parts.empty()) continue;
    const auto response = api_.AppendLogs(request);
    if (!response.ok() || response->results_size() != request.logs_size()) {
      Failed(worker, parts,
             response.ok() ? absl::InternalError("answers are missing") : response.status());
      continue;
    }
    backoff_.Reset();
    for (size_t i = 0; i < parts.size(); ++i) {
      Deliver(parts[i], response->results(static_cast<int>(i)));
    }
  }
}

void LogPump::Deliver(const Part& part, const v1::AppendResult& result) {
  if (result.verdict() == v1::REPORT_VERDICT_STALE) {
    Forget(part.name);
    return sink_.refused(part.attempt, result);
  }
  {
    MutexLock lock(mutex_);
    const auto entry = sources_.find(part.name);
    if (entry == sources_.end() || entry->second.attempt.epoch() != part.attempt.epoch()) return;
    entry->second.next = result.next_sequence();
  }
  sink_.arrived(part.attempt, result.next_sequence(), false);
  if (result.verdict() == v1::REPORT_VERDICT_STOP) sink_.refused(part.attempt, result);
}

void LogPump::Failed(const std::string& worker, const std::vector<Part>& parts,
                     const absl::Status& error) {
  switch (VerdictOn(error)) {
    case Verdict::kUnknownWorker:
      return registration_.Lose(worker);
    case Verdict::kFatal:
      return registration_.End(error);
    case Verdict::kRetry:
      break;
  }
  spdlog::debug("output of {} runs not delivered: {}", parts.size(), MessageOf(error));
  registration_.Pause(backoff_.Next());
}

}  // namespace forebay::worker
