#include "server/submit/run_rows.h"

#include <map>

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

void OptionalId(ArrayLiteral& column, const std::optional<Uuid>& id) {
  id.has_value() ? column.Id(*id) : column.Null();
}

// The columns of insert_runs, filled row by row.
class RunColumns {
 public:
  void Add(const NewRun& row) {
    const Submission& run = *row.submission;
    id_.Id(run.run);
    team_.Id(run.team);
    creator_.Id(run.creator);
    deployment_.Id(run.deployment->id);
    pool_.Id(run.deployment->pool);
    queue_.Id(run.deployment->queue);
    name_.Text(run.display_name);
    parameters_.Text(run.parameters);
    variables_.Text(run.job_variables);
    tags_.Text(TextArray(run.tags));
    run.due.has_value() ? due_.Time(*run.due) : due_.Null();
    blocked_.Bool(row.blocked);
    const bool granted = row.reservation.has_value();
    granted ? worker_.Id(row.reservation->worker) : worker_.Null();
    granted ? request_.Id(row.reservation->request) : request_.Null();
    granted ? ticket_.Bytes(row.ticket_hash) : ticket_.Null();
    deadline_.Int(row.start_deadline_ms);
    gated_.Bool(row.gated);
    OptionalId(schedule_, run.schedule);
    OptionalId(retry_of_, run.retry_of);
  }
  Args Take() {
    Args args;
    for (ArrayLiteral* column :
         {&id_, &team_, &creator_, &deployment_, &pool_, &queue_, &name_, &parameters_, &variables_,
          &tags_, &due_, &blocked_, &worker_, &request_, &ticket_, &deadline_, &gated_, &schedule_,
          &retry_of_}) {
      args.Array(column->Take());
    }
    return args;
  }

 private:
  ArrayLiteral id_, team_, creator_, deployment_, pool_, queue_, name_, parameters_, variables_,
      tags_, due_, blocked_, worker_, request_, ticket_, deadline_, gated_, schedule_, retry_of_;
};

}  // namespace

absl::StatusOr<std::vector<WrittenRun>> InsertRuns(Session& session,
                                                   const std::vector<NewRun>& runs) {
  RunColumns columns;
  for (const NewRun& run : runs) columns.Add(run);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kInsertRuns, columns.Take()));
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
