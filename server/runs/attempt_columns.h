#pragma once

// Changes of attempts as the columns of the statements that write them.

#include "server/db/columns.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {

// What as_remembered (runs.sql) compares; all null for an attempt that is locked.
class RememberedColumns {
 public:
  void Add(const AttemptChange& change, Phase phase);
  void TakeInto(BinaryParams& params);

 private:
  BigIntColumn epoch_;
  IdColumn worker_;
  SmallIntColumn phase_;
  BytesColumn ticket_;
  BigIntColumn log_lines_;
};

// Of advance_attempts.
class AdvanceColumns {
 public:
  void Add(const AttemptChange& change);
  // In the order of the statement's parameters; empty afterwards.
  BinaryParams Take();

 private:
  IdColumn run_;
  SmallIntColumn phase_;
  TextColumn name_, infrastructure_, said_, said_message_;
  BytesColumn token_;
  BoolColumn begins_;
  RememberedColumns remembered_;
};

// Of end_attempts, for changes with an end.
class EndColumns {
 public:
  void Add(const AttemptChange& change);
  BinaryParams Take();

 private:
  void AddUsage(const ResourceUsage& usage);

  IdColumn run_;
  TextColumn outcome_, reason_, message_;
  IntColumn exit_code_;
  BigIntColumn cpu_user_, cpu_system_, max_rss_, delay_, cpu_, cpu_reserved_, memory_reserved_;
  SmallIntColumn protocol_retries_, crash_retries_, user_retries_;
  BoolColumn requeue_, paused_;
  RememberedColumns remembered_;
};

// As the database has it.
const char* NameOf(Said said);

}  // namespace forebay::server
