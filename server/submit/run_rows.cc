#include "server/submit/run_rows.h"

#include <map>

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// The columns of insert_runs, filled row by row.
class RunColumns {
 public:
  void Add(const NewRun& row) {
    const Submission& run = *row.submission;
    id_.Add(run.run);
    team_.Add(run.team);
    creator_.Add(run.creator);
    deployment_.Add(run.deployment->id);
    pool_.Add(run.deployment->pool);
    queue_.Add(run.deployment->queue);
    name_.Add(run.display_name);
    parameters_.Add(run.parameters);
    variables_.Add(run.job_variables);
    tags_.Add(TextArray(run.tags));
    run.due.has_value() ? due_.Add(absl::ToUnixMicros(*run.due)) : due_.Null();
    blocked_.Add(row.blocked);
    const bool granted = row.reservation.has_value();
    granted ? worker_.Add(row.reservation->worker) : worker_.Null();
    granted ? request_.Add(row.reservation->request) : request_.Null();
    granted ? ticket_.Add(row.ticket_hash) : ticket_.Null();
    deadline_.Add(row.start_deadline_ms);
    gated_.Add(row.gated);
    schedule_.Add(run.schedule);
    retry_of_.Add(run.retry_of);
  }
  BinaryParams Take() {
    return {id_.Take(),        team_.Take(),     creator_.Take(), deployment_.Take(),
            pool_.Take(),      queue_.Take(),    name_.Take(),    parameters_.Take(),
            variables_.Take(), tags_.Take(),     due_.Take(),     blocked_.Take(),
            worker_.Take(),    request_.Take(),  ticket_.Take(),  deadline_.Take(),
            gated_.Take(),     schedule_.Take(), retry_of_.Take()};
  }

 private:
  IdColumn id_, team_, creator_, deployment_, pool_, queue_;
  TextColumn name_, parameters_, variables_, tags_;
  BigIntColumn due_;
  BoolColumn blocked_, gated_;
  IdColumn worker_, request_, schedule_, retry_of_;
  BytesColumn ticket_;
  IntColumn deadline_;
};

}  // namespace

absl::StatusOr<std::vector<WrittenRun>> InsertRuns(Session& session,
                                                   const std::vector<NewRun>& runs) {
  RunColumns columns;
  for (const NewRun& run : runs) columns.Add(run);
  ASSIGN_OR_RETURN(Rows rows, session.RunBatch(queries::kInsertRuns, columns.Take()));
  std::map<Uuid, size_t> row_of;
  for (size_t row = 0; row < rows.size(); ++row) row_of[rows.Id(row, 0)] = row;
  std::vector<WrittenRun> written;
  for (const NewRun& run : runs) {
    const size_t row = row_of.at(run.submission->run);
    written.push_back({{rows.Time(row, 1), rows.Time(row, 2), rows.OptionalTime(row, 3)},
                       rows.OptionalTime(row, 4)});
  }
  return written;
}

}  // namespace forebay::server
