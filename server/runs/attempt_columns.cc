#include "server/runs/attempt_columns.h"

namespace forebay::server {

const char* NameOf(Said said) { return said == Said::kCompleted ? "COMPLETED" : "FAILED"; }

void RememberedColumns::Add(const AttemptChange& change, Phase phase) {
  const HeldAttempt& before = change.before;
  if (!before.remembered) {
    epoch_.Null();
    worker_.Null();
    phase_.Null();
    ticket_.Null();
    log_lines_.Null();
    return;
  }
  epoch_.Add(before.epoch);
  worker_.Add(before.worker);
  phase_.Add(static_cast<int>(phase));
  ticket_.Add(before.ticket_hash);
  log_lines_.Add(change.log_lines);
}

void RememberedColumns::TakeInto(BinaryParams& params) {
  params.push_back(epoch_.Take());
  params.push_back(worker_.Take());
  params.push_back(phase_.Take());
  params.push_back(ticket_.Take());
  params.push_back(log_lines_.Take());
}

void AdvanceColumns::Add(const AttemptChange& change) {
  run_.Add(change.before.run);
  phase_.Add(static_cast<int>(change.phase));
  name_.AddOptional(change.infrastructure_name);
  infrastructure_.AddOptional(change.infrastructure_id);
  change.run_token_hash.has_value() ? token_.Add(*change.run_token_hash) : token_.Null();
  begins_.Add(change.phase == Phase::kStarted && change.before.state.phase != Phase::kStarted);
  change.said == Said::kNothing ? said_.Null() : said_.Add(NameOf(change.said));
  said_message_.Add(change.said_message);
  remembered_.Add(change, change.before.state.phase);
}

BinaryParams AdvanceColumns::Take() {
  BinaryParams params = {run_.Take(),   phase_.Take(),  name_.Take(), infrastructure_.Take(),
                         token_.Take(), begins_.Take(), said_.Take(), said_message_.Take()};
  remembered_.TakeInto(params);
  return params;
}

void EndColumns::Add(const AttemptChange& change) {
  const Decision& end = *change.end;
  run_.Add(change.before.run);
  outcome_.Add(NameOf(end.outcome));
  reason_.Add(end.reason);
  message_.Add(end.message);
  exit_code_.Add(change.exit_code);
  AddUsage(change.usage);
  requeue_.Add(end.next == Next::kRequeue);
  delay_.Add(absl::ToInt64Milliseconds(end.delay));
  protocol_retries_.Add(end.protocol_retries);
  crash_retries_.Add(end.crash_retries);
  user_retries_.Add(end.user_retries);
  paused_.Add(end.paused);
  remembered_.Add(change, change.phase);
}

BinaryParams EndColumns::Take() {
  BinaryParams params = {run_.Take(),          outcome_.Take(),          reason_.Take(),
                         message_.Take(),      exit_code_.Take(),        cpu_user_.Take(),
                         cpu_system_.Take(),   max_rss_.Take(),          requeue_.Take(),
                         delay_.Take(),        protocol_retries_.Take(), crash_retries_.Take(),
                         user_retries_.Take(), paused_.Take(),           cpu_.Take(),
                         cpu_reserved_.Take(), memory_reserved_.Take()};
  remembered_.TakeInto(params);
  return params;
}

void EndColumns::AddUsage(const ResourceUsage& usage) {
  cpu_user_.Add(usage.cpu_user_micros);
  cpu_system_.Add(usage.cpu_system_micros);
  max_rss_.Add(usage.max_rss_bytes);
  cpu_.Add(usage.cpu_micros);
  cpu_reserved_.Add(usage.cpu_reserved_micros);
  memory_reserved_.Add(usage.memory_reserved_byte_seconds);
}

}  // namespace forebay::server
