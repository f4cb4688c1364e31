-- Attempts named by a batch of reports, locked in one order.
-- name: lock_attempts
SELECT h.run_id, h.attempt, h.epoch, h.pool_id, h.queue_id, h.deployment_id, h.worker_id, h.phase,
       h.cancel_requested_at IS NOT NULL, h.protocol_retries, h.crash_retries, d.crash_retries, h.ticket_hash,
       h.worker_log_sequence, h.run_token_hash
FROM held_attempts h JOIN deployments d ON d.id = h.deployment_id
WHERE h.run_id = ANY ($1::uuid[])
ORDER BY h.run_id FOR UPDATE OF h

-- name: advance_attempts
UPDATE held_attempts h
SET phase = t.phase,
    infrastructure_name = coalesce(t.infrastructure_name, h.infrastructure_name),
    infrastructure_id = coalesce(t.infrastructure_id, h.infrastructure_id),
    launched_at = CASE WHEN t.phase >= 2 THEN coalesce(h.launched_at, clock_timestamp()) ELSE h.launched_at END,
    started_at = CASE WHEN t.phase = 3 THEN coalesce(h.started_at, clock_timestamp()) ELSE h.started_at END,
    run_token_hash = coalesce(t.run_token_hash, h.run_token_hash)
FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::bytea[])
     AS t (run_id, phase, infrastructure_name, infrastructure_id, run_token_hash)
WHERE h.run_id = t.run_id

-- Closes attempts: history is written, and the run ends or goes back to its queue. A run that goes back at once keeps
-- its place by due time.
-- name: end_attempts
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::boolean[], $10::bigint[], $11::smallint[], $12::smallint[])
       AS t (run_id, outcome, reason, message, exit_code, cpu_user_us, cpu_system_us, max_rss_bytes, requeue, delay_ms,
             protocol_retries, crash_retries)
), gone AS (
  DELETE FROM held_attempts h USING input i WHERE h.run_id = i.run_id
  RETURNING h.*, i.outcome, i.reason, i.message, i.exit_code, i.cpu_user_us, i.cpu_system_us, i.max_rss_bytes, i.requeue,
            i.delay_ms, i.protocol_retries AS next_protocol_retries, i.crash_retries AS next_crash_retries,
            clock_timestamp() AS ended_at
), history AS (
  INSERT INTO attempts (run_id, number, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at,
                        launched_at, started_at, cancel_requested_at, ended_at, outcome, reason, message, exit_code,
                        cpu_user_us, cpu_system_us, max_rss_bytes)
  SELECT run_id, attempt, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at, launched_at, started_at,
         cancel_requested_at, ended_at, outcome, reason, message, exit_code, cpu_user_us, cpu_system_us, max_rss_bytes
  FROM gone
), requeued AS (
  INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, attempt, epoch, protocol_retries,
                           crash_retries, log_offset, reason, message, blocked)
  SELECT g.run_id, g.pool_id, g.queue_id, g.deployment_id,
         CASE WHEN g.delay_ms = 0 THEN f.due_at
              ELSE greatest(f.due_at, clock_timestamp() + g.delay_ms * interval '1 millisecond') END,
         g.attempt + 1, g.epoch, g.next_protocol_retries, g.next_crash_retries, g.log_offset, g.reason, g.message,
         d.paused OR d.quarantine_reason IS NOT NULL
  FROM gone g
  JOIN flow_runs f ON f.id = g.run_id
  JOIN deployments d ON d.id = g.deployment_id
  WHERE g.requeue
)
UPDATE flow_runs f
SET state = g.outcome, state_reason = g.reason, state_message = g.message, exit_code = g.exit_code,
    attempts = g.attempt, started_at = g.started_at, ended_at = g.ended_at, log_end = g.log_offset
FROM gone g WHERE f.id = g.run_id AND NOT g.requeue

-- name: count_quarantined_runs
UPDATE deployments d
SET launch_failures = d.launch_failures + t.failures,
    quarantine_reason = CASE WHEN d.launch_failures + t.failures >= $3::integer
                             THEN coalesce(d.quarantine_reason, t.reason) ELSE d.quarantine_reason END
FROM (SELECT id, count(*)::integer AS failures, min(reason) AS reason
      FROM unnest($1::uuid[], $2::text[]) AS u (id, reason) GROUP BY id) AS t
WHERE d.id = t.id
RETURNING d.id, d.quarantine_reason IS NOT NULL

-- name: forgive_deployments
UPDATE deployments SET launch_failures = 0 WHERE id = ANY ($1::uuid[]) AND launch_failures > 0 AND quarantine_reason IS NULL

-- name: block_runs
UPDATE queued_runs SET blocked = true WHERE deployment_id = ANY ($1::uuid[]) AND NOT blocked

-- name: unblock_runs
UPDATE queued_runs SET blocked = false WHERE deployment_id = $1::uuid AND blocked

-- Ends a waiting run.
-- name: cancel_queued
WITH gone AS (
  DELETE FROM queued_runs WHERE run_id = ANY ($1::uuid[]) RETURNING run_id, attempt, log_offset
)
UPDATE flow_runs f
SET state = 'CANCELLED', state_reason = 'CANCEL_REQUESTED', state_message = $2::text, attempts = gone.attempt - 1,
    ended_at = clock_timestamp(), log_end = gone.log_offset
FROM gone WHERE f.id = gone.run_id
RETURNING f.id

-- name: request_cancel
UPDATE held_attempts SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
WHERE run_id = $1::uuid
RETURNING worker_id, attempt, epoch, pool_id

-- name: delete_run
WITH gone AS (
  DELETE FROM flow_runs WHERE id = $1::uuid AND state IS NOT NULL RETURNING id
), history AS (
  DELETE FROM attempts USING gone WHERE run_id = gone.id
), log AS (
  DELETE FROM run_logs USING gone WHERE run_id = gone.id
)
SELECT id FROM gone

-- A run with where it stands, as run_row.cc reads it by position.
-- part: run_columns
SELECT f.id, f.display_name, t.name, fl.name, d.name, p.name, q.name, f.parameters, f.job_variables, f.tags,
       micros(f.due_at), micros(f.created_at), u.name,
       f.state, f.state_reason, f.state_message, f.exit_code, f.attempts, micros(f.started_at), micros(f.ended_at),
       w.attempt, w.reason, w.message, micros(w.queued_at), micros(w.due_at), w.due_at > statement_timestamp(),
       h.attempt, h.phase, micros(h.granted_at), micros(h.started_at), micros(h.cancel_requested_at), h.worker_id,
       h.infrastructure_name, h.infrastructure_id, h.epoch, micros(h.launched_at), h.orphaned_at IS NOT NULL,
       p.paused, q.paused, d.paused, d.quarantine_reason, f.pool_id, f.queue_id, wk.name

-- part: run_joins
JOIN teams t ON t.id = f.team_id
JOIN users u ON u.id = f.creator_id
JOIN deployments d ON d.id = f.deployment_id
JOIN flows fl ON fl.id = d.flow_id
JOIN work_pools p ON p.id = f.pool_id
JOIN work_queues q ON q.id = f.queue_id
LEFT JOIN queued_runs w ON w.run_id = f.id
LEFT JOIN held_attempts h ON h.run_id = f.id
LEFT JOIN workers wk ON wk.id = h.worker_id

-- name: read_run
{{run_columns}}
FROM flow_runs f
{{run_joins}}
WHERE f.id = $1::uuid AND f.team_id = $2::uuid

-- Newest first. Live states are looked up from the hot tables, so a rare state does not read the whole history.
-- name: list_runs
WITH chosen AS (
  SELECT f.id FROM flow_runs f
  LEFT JOIN queued_runs w ON w.run_id = f.id
  LEFT JOIN held_attempts h ON h.run_id = f.id
  WHERE f.team_id = $1::uuid
    AND ($2::uuid IS NULL OR f.id < $2::uuid)
    AND ($3::uuid IS NULL OR f.deployment_id = $3::uuid)
    AND ($4::uuid IS NULL OR f.pool_id = $4::uuid)
    AND ($5::text[] IS NULL OR coalesce(f.state,
           CASE WHEN w.run_id IS NOT NULL THEN 'SCHEDULED'
                WHEN h.cancel_requested_at IS NOT NULL THEN 'CANCELLING'
                WHEN h.phase = 3 THEN 'RUNNING' ELSE 'PENDING' END) = ANY ($5::text[]))
  ORDER BY f.id DESC LIMIT $6::integer
)
{{run_columns}}
FROM chosen c
JOIN flow_runs f ON f.id = c.id
{{run_joins}}
ORDER BY f.id DESC

-- name: read_attempts
SELECT a.number, a.epoch, a.worker_id, w.name, a.infrastructure_name, a.infrastructure_id, micros(a.granted_at),
       micros(a.launched_at), micros(a.started_at), micros(a.cancel_requested_at), micros(a.ended_at), a.outcome,
       a.reason, a.message, a.exit_code, a.cpu_user_us, a.cpu_system_us, a.max_rss_bytes
FROM attempts a LEFT JOIN workers w ON w.id = a.worker_id
WHERE a.run_id = $1::uuid ORDER BY a.number

-- Which of the watched runs stand where: one number that grows with every change.
-- Why a run waits, as far as the run's own row does not say: free capacity and who could take it.
-- name: waiting_facts
SELECT p.concurrency_limit, pc.in_use, q.concurrency_limit, qc.in_use,
       (SELECT count(*) FROM workers w JOIN worker_leases l ON l.worker_id = w.id
        WHERE w.pool_id = p.id AND l.deadline > clock_timestamp() AND NOT w.draining),
       (SELECT count(*) FROM workers w JOIN worker_leases l ON l.worker_id = w.id
        WHERE w.pool_id = p.id AND l.deadline > clock_timestamp() AND NOT w.draining
          AND (cardinality(w.queues) = 0 OR q.name = ANY (w.queues)))
FROM work_pools p
JOIN work_queues q ON q.id = $2::uuid
LEFT JOIN slot_counters pc ON pc.kind = 'pool' AND pc.id = p.id
LEFT JOIN slot_counters qc ON qc.kind = 'queue' AND qc.id = q.id
WHERE p.id = $1::uuid
