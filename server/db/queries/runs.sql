-- An attempt with the rules that decide about it, as held_attempt.cc reads it by position.
-- part: held_columns
SELECT h.run_id, h.attempt, h.epoch, h.pool_id, h.queue_id, h.deployment_id, h.worker_id, h.phase,
       CASE WHEN h.cancel_requested_at IS NOT NULL THEN coalesce(h.stop_reason, 'CANCEL_REQUESTED') END,
       h.protocol_retries, h.crash_retries, d.crash_retries, h.ticket_hash, h.worker_log_sequence, h.run_token_hash,
       h.user_retries, d.retries, d.retry_delays_ms, d.retry_jitter, d.retry_on, h.limits, h.stop_grace_ms,
       d.entrypoint <> '', h.said, h.said_message, h.alone

-- Where each row `t` of a batch has its attempt `h`. One that this transaction has not locked may move meanwhile and is then
-- not found. Rows are found one by one
-- through the index whatever the statistics say: by a plan that was made while next to nothing was held, a plain join walks
-- the whole index for each.
-- part: place_of_attempt
CROSS JOIN LATERAL (SELECT ctid FROM held_attempts WHERE run_id = t.run_id OFFSET 0) AS place
WHERE h.ctid = place.ctid

-- An attempt that is not locked but remembered is changed only if it is still so: of the same grant, and nobody has asked
-- for its end, taken its gate or said how it ended.
-- part: as_remembered
AND (t.was_epoch IS NULL
     OR (h.epoch = t.was_epoch AND h.worker_id = t.was_worker AND h.phase = t.was_phase AND h.ticket_hash = t.was_ticket
         AND h.worker_log_sequence >= t.log_lines AND h.cancel_requested_at IS NULL AND h.run_token_hash IS NULL
         AND h.said IS NULL))

-- Attempts named by a batch of reports, locked in one order.
-- name: lock_attempts
{{held_columns}}
FROM held_attempts h JOIN deployments d ON d.id = h.deployment_id
WHERE h.run_id = ANY ($1::uuid[])
ORDER BY h.run_id FOR UPDATE OF h

-- Attempts whose worker has no lease, that were never begun in time, that nobody has heard of for too long, or whose
-- infrastructure does not end although the run has said how it ended.
-- name: lock_overdue
{{held_columns}},
       CASE WHEN h.said_at + interval '1 minute' < clock_timestamp() THEN 'said'
            WHEN h.orphaned_at IS NOT NULL AND l.worker_id IS NULL
                 AND greatest(h.orphaned_at, h.run_seen_at) + coalesce(p.crash_after_ms, 30000) * interval '1 millisecond'
                     < clock_timestamp() THEN 'silent'
            WHEN l.worker_id IS NULL AND (h.orphaned_at IS NULL OR h.phase < 3) THEN 'lease'
            ELSE 'start' END,
       w.name
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
JOIN work_pools p ON p.id = h.pool_id
LEFT JOIN workers w ON w.id = h.worker_id
LEFT JOIN worker_leases l ON l.worker_id = h.worker_id
WHERE (l.worker_id IS NULL
       AND (h.orphaned_at IS NULL
            -- A worker that was replaced by its own successor leaves the successor a moment to adopt.
            OR (h.phase < 3 AND h.orphaned_at + interval '5 seconds' < clock_timestamp())
            OR greatest(h.orphaned_at, h.run_seen_at) + coalesce(p.crash_after_ms, 30000) * interval '1 millisecond'
               < clock_timestamp()))
   OR (h.phase < 3 AND h.start_deadline < clock_timestamp())
   OR h.said_at + interval '1 minute' < clock_timestamp()
ORDER BY h.run_id LIMIT 500
FOR UPDATE OF h SKIP LOCKED

-- `begins`: it passes its gate now, and what it needed no repeat for clears its deployment's record of runs that never
-- began. Answers how many were as they were to be.
-- name: advance_attempts
WITH moved AS (
  UPDATE held_attempts h
  SET phase = t.phase,
      infrastructure_name = coalesce(t.infrastructure_name, h.infrastructure_name),
      infrastructure_id = coalesce(t.infrastructure_id, h.infrastructure_id),
      launched_at = CASE WHEN t.phase >= 2 THEN coalesce(h.launched_at, clock_timestamp()) ELSE h.launched_at END,
      started_at = CASE WHEN t.phase = 3 THEN coalesce(h.started_at, clock_timestamp()) ELSE h.started_at END,
      run_token_hash = coalesce(t.run_token_hash, h.run_token_hash),
      said = coalesce(h.said, t.said),
      said_message = CASE WHEN h.said IS NULL AND t.said IS NOT NULL THEN t.said_message ELSE h.said_message END,
      said_at = coalesce(h.said_at, CASE WHEN t.said IS NOT NULL THEN clock_timestamp() END)
  FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::bytea[], $6::boolean[], $7::text[], $8::text[],
              $9::bigint[], $10::uuid[], $11::smallint[], $12::bytea[], $13::bigint[])
       AS t (run_id, phase, infrastructure_name, infrastructure_id, run_token_hash, begins, said, said_message, was_epoch,
             was_worker, was_phase, was_ticket, log_lines)
  {{place_of_attempt}} {{as_remembered}}
  RETURNING h.started_at, h.run_id, h.pool_id, h.deployment_id, h.attempt, t.begins, h.protocol_retries
), forgiven AS (
  UPDATE deployments SET launch_failures = 0
  WHERE id IN (SELECT DISTINCT deployment_id FROM moved WHERE begins AND protocol_retries = 0)
    AND launch_failures > 0 AND quarantine_reason IS NULL
), events AS (
  {{record_steps}} (
    SELECT started_at, run_id, pool_id, deployment_id, attempt, 'RUNNING', '', '' FROM moved WHERE begins
  ) AS {{steps}}
)
SELECT count(*) FROM moved

-- Closes attempts: the run ends, and its row takes the attempt in (ADR 27), or it goes back to its queue and leaves the
-- attempt among the earlier ones. A run that goes back at once keeps its place by due time. Answers how many were as they
-- were to be, and whether anybody counts slots.
-- name: end_attempts
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::boolean[], $10::bigint[], $11::smallint[], $12::smallint[], $13::smallint[],
                       $14::boolean[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::uuid[],
                       $20::smallint[], $21::bytea[], $22::bigint[])
       AS t (run_id, outcome, reason, message, exit_code, cpu_user_us, cpu_system_us, max_rss_bytes, requeue, delay_ms,
             protocol_retries, crash_retries, user_retries, paused, cpu_us, cpu_reserved_us, memory_reserved_byte_s,
             was_epoch, was_worker, was_phase, was_ticket, log_lines)
), gone AS (
  DELETE FROM held_attempts h USING input t
  {{place_of_attempt}} {{as_remembered}}
  RETURNING h.*, t.outcome, t.reason, t.message, t.exit_code, t.cpu_user_us, t.cpu_system_us, t.max_rss_bytes, t.requeue,
            t.delay_ms, t.protocol_retries AS next_protocol_retries, t.crash_retries AS next_crash_retries,
            t.user_retries AS next_user_retries, t.paused AS next_paused, t.cpu_us, t.cpu_reserved_us,
            t.memory_reserved_byte_s, clock_timestamp() AS ended_at
), history AS (
  INSERT INTO earlier_attempts (run_id, number, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at,
                                launched_at, started_at, cancel_requested_at, ended_at, outcome, reason, message,
                                exit_code, cpu_user_us, cpu_system_us, max_rss_bytes, cpu_us, cpu_reserved_us,
                                memory_reserved_byte_s)
  SELECT run_id, attempt, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at, launched_at, started_at,
         cancel_requested_at, ended_at, outcome, reason, message, exit_code, cpu_user_us, cpu_system_us, max_rss_bytes,
         cpu_us, cpu_reserved_us, memory_reserved_byte_s
  FROM gone WHERE requeue
), requeued AS (
  INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, attempt, epoch, protocol_retries,
                           crash_retries, user_retries, log_offset, reason, message, paused, gated, blocked)
  SELECT g.run_id, g.pool_id, g.queue_id, g.deployment_id,
         CASE WHEN g.delay_ms = 0 THEN f.due_at
              ELSE greatest(f.due_at, clock_timestamp() + g.delay_ms * interval '1 millisecond') END,
         g.attempt + 1, g.epoch, g.next_protocol_retries, g.next_crash_retries, g.next_user_retries, g.log_offset,
         g.reason, g.message, g.next_paused, d.gated,
         d.paused OR d.quarantine_reason IS NOT NULL OR d.gated OR g.next_paused
  FROM gone g
  CROSS JOIN LATERAL (SELECT due_at FROM flow_runs WHERE id = g.run_id OFFSET 0) AS f
  JOIN deployments d ON d.id = g.deployment_id
  WHERE g.requeue
), events AS (
  {{record_steps}} (
    SELECT ended_at, run_id, pool_id, deployment_id, attempt,
           CASE WHEN NOT requeue THEN outcome WHEN next_paused THEN 'PAUSED' ELSE 'SCHEDULED' END, reason, message
    FROM gone
  ) AS {{steps}}
), ended AS (
  UPDATE flow_runs f
  SET state = g.outcome, state_reason = g.reason, state_message = g.message, exit_code = g.exit_code,
      attempts = g.attempt, started_at = g.started_at, ended_at = g.ended_at, log_end = g.log_offset, epoch = g.epoch,
      worker_id = g.worker_id, infrastructure_name = g.infrastructure_name, infrastructure_id = g.infrastructure_id,
      granted_at = g.granted_at, launched_at = g.launched_at, cancel_requested_at = g.cancel_requested_at,
      cpu_user_us = g.cpu_user_us, cpu_system_us = g.cpu_system_us, max_rss_bytes = g.max_rss_bytes, cpu_us = g.cpu_us,
      cpu_reserved_us = g.cpu_reserved_us, memory_reserved_byte_s = g.memory_reserved_byte_s
  FROM gone g WHERE f.id = g.run_id AND NOT g.requeue
)
SELECT count(*), EXISTS (SELECT FROM slot_counters) FROM gone

-- name: count_quarantined_runs
UPDATE deployments d
SET launch_failures = d.launch_failures + t.failures,
    quarantine_reason = CASE WHEN d.launch_failures + t.failures >= $3::integer
                             THEN coalesce(d.quarantine_reason, t.reason) ELSE d.quarantine_reason END
FROM (SELECT id, count(*)::integer AS failures, min(reason) AS reason
      FROM unnest($1::uuid[], $2::text[]) AS u (id, reason) GROUP BY id) AS t
WHERE d.id = t.id
RETURNING d.id, d.quarantine_reason IS NOT NULL

-- name: block_runs
UPDATE queued_runs SET blocked = true WHERE deployment_id = ANY ($1::uuid[]) AND NOT blocked

-- name: unblock_runs
UPDATE queued_runs SET blocked = false WHERE deployment_id = $1::uuid AND blocked AND NOT gated AND NOT paused

-- The deployment has got its first limit, or lost its last.
-- name: gate_runs
UPDATE queued_runs SET gated = true, blocked = true WHERE deployment_id = $1::uuid AND NOT gated

-- name: ungate_runs
UPDATE queued_runs w SET gated = false, blocked = w.paused OR d.paused OR d.quarantine_reason IS NOT NULL
FROM deployments d WHERE d.id = $1::uuid AND w.deployment_id = d.id AND w.gated

-- Ends a waiting run.
-- name: cancel_queued
WITH gone AS (
  DELETE FROM queued_runs WHERE run_id = ANY ($1::uuid[]) RETURNING run_id, attempt, log_offset
), ended AS (
  UPDATE flow_runs f
  SET state = 'CANCELLED', state_reason = 'CANCEL_REQUESTED', state_message = $2::text, attempts = gone.attempt - 1,
      ended_at = clock_timestamp(), log_end = gone.log_offset
  FROM gone WHERE f.id = gone.run_id
  RETURNING f.*
)
{{record_ends}}

-- A cancel overrules every other stop; the others leave what was asked for before.
-- name: request_stop
WITH before AS MATERIALIZED (
  SELECT run_id, CASE WHEN cancel_requested_at IS NOT NULL THEN coalesce(stop_reason, 'CANCEL_REQUESTED') END AS stop
  FROM held_attempts WHERE run_id = $1::uuid FOR UPDATE
), stopped AS (
  UPDATE held_attempts h
  SET stop_reason = CASE WHEN b.stop IS NULL OR $2::text = 'CANCEL_REQUESTED' THEN $2::text ELSE b.stop END,
      stop_grace_ms = coalesce($3::integer, h.stop_grace_ms),
      cancel_requested_at = coalesce(h.cancel_requested_at, clock_timestamp())
  FROM before b WHERE h.run_id = b.run_id
  RETURNING h.*, b.stop AS stop_before
), events AS (
  {{record_steps}} (
    SELECT clock_timestamp(), run_id, pool_id, deployment_id, attempt,
           CASE stop_reason WHEN 'CANCEL_REQUESTED' THEN 'CANCELLING' ELSE 'RUNNING' END, stop_reason, ''
    FROM stopped WHERE stop_reason IS DISTINCT FROM stop_before
  ) AS {{steps}}
)
SELECT worker_id, stop_reason FROM stopped

-- Attempts that run longer than their deployment allows. Walked along an index: it passes over the entries of those that have
-- ended, all of which are in the table itself until the next vacuum.
-- name: time_out_attempts
WITH late AS MATERIALIZED (
  SELECT h.run_id FROM held_attempts h JOIN deployments d ON d.id = h.deployment_id
  WHERE h.phase = 3 AND h.cancel_requested_at IS NULL AND NOT h.alone
    AND h.started_at + d.timeout_ms * interval '1 millisecond' < clock_timestamp()
  ORDER BY h.run_id FOR UPDATE OF h
), stopped AS (
  UPDATE held_attempts h SET stop_reason = 'TIMED_OUT', cancel_requested_at = clock_timestamp()
  FROM late t
  {{place_of_attempt}}
  RETURNING h.*
), events AS (
  {{record_steps}} (
    SELECT cancel_requested_at, run_id, pool_id, deployment_id, attempt, 'RUNNING', stop_reason, '' FROM stopped
  ) AS {{steps}}
)
SELECT run_id, worker_id FROM stopped

-- A waiting run steps out of every order until it is resumed.
-- name: pause_queued
WITH changed AS (
  UPDATE queued_runs
  SET paused = true, blocked = true, reason = 'PAUSED', message = 'paused on request', queued_at = clock_timestamp(),
      changes = changes + 1
  WHERE run_id = $1::uuid AND NOT paused
  RETURNING *
), events AS (
  {{record_steps}} (
    SELECT queued_at, run_id, pool_id, deployment_id, attempt - 1, 'PAUSED', reason, message FROM changed
  ) AS {{steps}}
)
SELECT run_id FROM changed

-- name: resume_queued
WITH changed AS (
  UPDATE queued_runs w
  SET paused = false, blocked = w.gated OR d.paused OR d.quarantine_reason IS NOT NULL, reason = 'RESUMED',
      message = 'resumed on request', queued_at = clock_timestamp(), changes = changes + 1
  FROM deployments d WHERE w.run_id = $1::uuid AND d.id = w.deployment_id AND w.paused
  RETURNING w.*
), events AS (
  {{record_steps}} (
    SELECT queued_at, run_id, pool_id, deployment_id, attempt - 1, 'SCHEDULED', reason, message FROM changed
  ) AS {{steps}}
)
SELECT pool_id FROM changed

-- name: where_it_stands
SELECT f.state IS NOT NULL, w.run_id IS NOT NULL, w.paused IS TRUE, h.run_id IS NOT NULL,
       CASE WHEN h.cancel_requested_at IS NOT NULL THEN coalesce(h.stop_reason, 'CANCEL_REQUESTED') END
FROM flow_runs f
LEFT JOIN queued_runs w ON w.run_id = f.id
LEFT JOIN held_attempts h ON h.run_id = f.id
WHERE f.id = $1::uuid AND f.team_id = $2::uuid

-- name: delete_run
WITH gone AS (
  DELETE FROM flow_runs WHERE id = $1::uuid AND state IS NOT NULL RETURNING *
), events AS (
  {{record_steps}} (
    SELECT clock_timestamp(), id, pool_id, deployment_id, attempts, 'DELETED', '', '' FROM gone
  ) AS {{steps}}
), history AS (
  DELETE FROM earlier_attempts USING gone WHERE run_id = gone.id
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
       p.paused, q.paused, d.paused, d.quarantine_reason, f.pool_id, f.queue_id, wk.name,
       w.paused, w.changes, w.gated,
       w.due_at + coalesce(p.late_after_ms, 15000) * interval '1 millisecond' < statement_timestamp(),
       CASE WHEN h.cancel_requested_at IS NOT NULL THEN coalesce(h.stop_reason, 'CANCEL_REQUESTED') END,
       micros(h.start_deadline), f.deployment_id, f.retry_of, s.slug, h.alone

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
LEFT JOIN schedules s ON s.id = f.schedule_id

-- What a list may ask of a run besides its state: $1 team, $2 before, $3 deployment, $4 pool, $5 queue, $6 flow, $7 tags,
-- $8 and $9 when it was made.
-- part: list_conditions
f.team_id = $1::uuid
    AND ($2::uuid IS NULL OR f.id < $2::uuid)
    AND ($3::uuid IS NULL OR f.deployment_id = $3::uuid)
    AND ($4::uuid IS NULL OR f.pool_id = $4::uuid)
    AND ($5::uuid IS NULL OR f.queue_id = $5::uuid)
    AND ($6::text IS NULL OR f.deployment_id IN (SELECT d.id FROM deployments d JOIN flows fl ON fl.id = d.flow_id
                                                 WHERE fl.name = $6::text AND fl.team_id = $1::uuid))
    AND ($7::text[] IS NULL OR f.tags @> $7::text[])
    AND ($8::bigint IS NULL OR f.id >= first_run_id(from_micros($8::bigint)))
    AND ($9::bigint IS NULL OR f.id < first_run_id(from_micros($9::bigint)))

-- name: read_run
{{run_columns}}
FROM flow_runs f
{{run_joins}}
WHERE f.id = $1::uuid AND f.team_id = $2::uuid

-- name: read_runs
{{run_columns}}
FROM flow_runs f
{{run_joins}}
WHERE f.id = ANY ($1::uuid[]) AND f.team_id = $2::uuid
ORDER BY f.id

-- Newest first.
-- name: list_runs
WITH chosen AS (
  SELECT f.id FROM flow_runs f
  LEFT JOIN queued_runs w ON w.run_id = f.id
  LEFT JOIN held_attempts h ON h.run_id = f.id
  WHERE {{list_conditions}}
    AND ($10::text[] IS NULL OR coalesce(f.state,
           CASE WHEN w.paused THEN 'PAUSED'
                WHEN w.run_id IS NOT NULL THEN 'SCHEDULED'
                WHEN h.cancel_requested_at IS NOT NULL AND coalesce(h.stop_reason, 'CANCEL_REQUESTED') = 'CANCEL_REQUESTED'
                THEN 'CANCELLING'
                WHEN h.phase = 3 THEN 'RUNNING' ELSE 'PENDING' END) = ANY ($10::text[]))
  ORDER BY f.id DESC LIMIT $11::integer
)
{{run_columns}}
FROM chosen c
JOIN flow_runs f ON f.id = c.id
{{run_joins}}
ORDER BY f.id DESC

-- The same of runs that wait, without a walk over all that ended: $12 only those overdue.
-- name: list_waiting_runs
WITH chosen AS (
  SELECT f.id FROM queued_runs w JOIN flow_runs f ON f.id = w.run_id JOIN work_pools p ON p.id = w.pool_id
  WHERE {{list_conditions}}
    AND CASE WHEN w.paused THEN 'PAUSED' ELSE 'SCHEDULED' END = ANY ($10::text[])
    AND (NOT $12::boolean
         OR w.due_at + coalesce(p.late_after_ms, 15000) * interval '1 millisecond' < statement_timestamp())
  ORDER BY w.run_id DESC LIMIT $11::integer
)
{{run_columns}}
FROM chosen c
JOIN flow_runs f ON f.id = c.id
{{run_joins}}
ORDER BY f.id DESC

-- name: read_attempts
SELECT a.number, a.epoch, a.worker_id, w.name, a.infrastructure_name, a.infrastructure_id, micros(a.granted_at),
       micros(a.launched_at), micros(a.started_at), micros(a.cancel_requested_at), micros(a.ended_at), a.outcome,
       a.reason, a.message, a.exit_code, a.cpu_user_us, a.cpu_system_us, a.max_rss_bytes,
       coalesce(a.cpu_us, a.cpu_user_us + a.cpu_system_us), a.cpu_reserved_us, a.memory_reserved_byte_s
FROM attempts a LEFT JOIN workers w ON w.id = a.worker_id
WHERE a.run_id = $1::uuid ORDER BY a.number

-- Why a run waits, as far as the run's own row does not say: free capacity and who could take it.
-- name: waiting_facts
SELECT p.concurrency_limit, pc.in_use, q.concurrency_limit, qc.in_use, d.concurrency_limit, dc.in_use, l.online, l.serving,
       l.ready, l.obstacle
FROM work_pools p
JOIN work_queues q ON q.id = $2::uuid
JOIN deployments d ON d.id = $3::uuid
LEFT JOIN slot_counters pc ON pc.kind = 'pool' AND pc.id = p.id
LEFT JOIN slot_counters qc ON qc.kind = 'queue' AND qc.id = q.id
LEFT JOIN slot_counters dc ON dc.kind = 'deployment' AND dc.id = d.id
CROSS JOIN LATERAL (
  SELECT count(*) AS online, count(*) FILTER (WHERE s.serves) AS serving,
         count(*) FILTER (WHERE s.serves AND s.obstacle = '') AS ready, min(s.obstacle) FILTER (WHERE s.obstacle <> '') AS obstacle
  FROM (SELECT cardinality(w.queues) = 0 OR q.name = ANY (w.queues) AS serves, wl.not_ready_reason AS obstacle
        FROM workers w JOIN worker_leases wl ON wl.worker_id = w.id
        WHERE w.pool_id = p.id AND wl.deadline > clock_timestamp() AND NOT w.draining) AS s
) AS l
WHERE p.id = $1::uuid

-- Shared limits of a deployment without a slot left: name, id, slots, and seconds until one comes back by itself.
-- name: full_limits
SELECT n.name, n.id, n.slots, CASE WHEN n.decay_per_second IS NOT NULL AND n.slots > 0
                                   THEN (decayed(n.id) - (n.slots - 1)) / n.decay_per_second END,
       n.decay_per_second IS NOT NULL
FROM deployment_limits dl JOIN concurrency_limits n ON n.id = dl.limit_id
WHERE dl.deployment_id = $1::uuid AND slots_left(n.id) <= 0
ORDER BY n.name LIMIT 1

-- Who has slots of a scope.
-- name: slot_holders
SELECT run_id FROM held_attempts
WHERE NOT alone AND CASE $1::text WHEN 'pool' THEN pool_id = $2::uuid WHEN 'queue' THEN queue_id = $2::uuid
                    WHEN 'deployment' THEN deployment_id = $2::uuid ELSE $2::uuid = ANY (limits) END
ORDER BY run_id LIMIT $3::integer
