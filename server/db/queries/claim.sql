-- Held by every transaction that grants or releases slots of these pools; taken exclusively by a change of limits, which
-- then counts what is held and starts the counters from there.
-- name: share_limits
SELECT pg_advisory_xact_lock_shared(hashtextextended(id::text, 0)) FROM unnest($1::uuid[]) AS id ORDER BY id

-- name: own_limits
SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))

-- The last columns: runs of deployments with limits of their own wait beside the queues' order; the time, before any of
-- the candidates are read.
-- name: claim_state
SELECT p.paused, p.concurrency_limit, pc.in_use, q.id, q.priority, q.paused, q.concurrency_limit, qc.in_use,
       coalesce(p.start_deadline_ms, default_start_deadline_ms(p.type)),
       EXISTS (SELECT FROM queued_runs g WHERE g.pool_id = p.id AND g.gated AND NOT g.paused
                                           AND g.due_at <= statement_timestamp()),
       micros(statement_timestamp())
FROM work_pools p
JOIN work_queues q ON q.pool_id = p.id AND q.deleted_at IS NULL
LEFT JOIN slot_counters pc ON pc.kind = 'pool' AND pc.id = p.id
LEFT JOIN slot_counters qc ON qc.kind = 'queue' AND qc.id = q.id
WHERE p.id = $1::uuid

-- The queues come in priority order, each with its own most and, where its beginning is dear to read, the due time from
-- which it is read (low_water_mark.h); the outer limit stops the walk, so nothing behind it is read or locked. A row whose
-- deployment has got a limit meanwhile says so by the last column. Here and below each run's row is looked up by itself
-- (OFFSET 0), whatever its table was when the plan was made (ADR 26).
-- name: claim_candidates
SELECT r.run_id, r.queue_id, r.deployment_id, r.attempt, r.epoch, r.revision, f.parameters, f.job_variables,
       f.display_name, micros(r.due_at), '{}'::uuid[], r.gated
FROM unnest($1::uuid[], $2::integer[], $4::bigint[]) AS q (id, most, from_us)
CROSS JOIN LATERAL (
  SELECT w.run_id, w.queue_id, w.deployment_id, w.attempt, w.epoch, w.due_at, d.revision, d.gated
  FROM queued_runs w JOIN deployments d ON d.id = w.deployment_id
  WHERE w.queue_id = q.id AND NOT w.blocked AND w.due_at <= statement_timestamp()
    AND w.due_at >= coalesce(from_micros(q.from_us), '-infinity')
    AND NOT d.paused AND d.quarantine_reason IS NULL
  ORDER BY w.due_at, w.run_id
  LIMIT q.most
  FOR UPDATE OF w SKIP LOCKED
) AS r
CROSS JOIN LATERAL (SELECT parameters, job_variables, display_name FROM flow_runs WHERE id = r.run_id OFFSET 0) AS f
LIMIT $3::integer

-- The same of deployments with limits of their own: of each the next runs, as many as it has slots left. A deployment
-- without a slot left costs one look and none of its runs is walked past, however many wait.
-- name: gated_candidates
WITH RECURSIVE waiting (deployment_id, queue_id) AS (
  (SELECT deployment_id, queue_id FROM queued_runs WHERE pool_id = $1::uuid AND gated AND NOT paused
   ORDER BY deployment_id, queue_id LIMIT 1)
  UNION ALL
  SELECT n.deployment_id, n.queue_id FROM waiting w
  CROSS JOIN LATERAL (SELECT deployment_id, queue_id FROM queued_runs
                      WHERE pool_id = $1::uuid AND gated AND NOT paused
                        AND (deployment_id, queue_id) > (w.deployment_id, w.queue_id)
                      ORDER BY deployment_id, queue_id LIMIT 1) AS n
), open AS (
  SELECT w.deployment_id, w.queue_id, q.place, d.revision, l.ids AS limits,
         least(q.most, d.concurrency_limit - coalesce(c.in_use, 0), l.room) AS most
  FROM waiting w
  JOIN unnest($2::uuid[], $3::integer[]) WITH ORDINALITY AS q (id, most, place) ON q.id = w.queue_id
  JOIN deployments d ON d.id = w.deployment_id
  LEFT JOIN slot_counters c ON c.kind = 'deployment' AND c.id = d.id
  CROSS JOIN LATERAL (SELECT coalesce(array_agg(n.id ORDER BY n.id), '{}') AS ids, min(slots_left(n.id)) AS room
                      FROM deployment_limits dl JOIN concurrency_limits n ON n.id = dl.limit_id
                      WHERE dl.deployment_id = d.id) AS l
  WHERE NOT d.paused AND d.quarantine_reason IS NULL
)
SELECT r.run_id, o.queue_id, o.deployment_id, r.attempt, r.epoch, o.revision, f.parameters, f.job_variables,
       f.display_name, micros(r.due_at), o.limits, false
FROM open o
CROSS JOIN LATERAL (
  SELECT w.run_id, w.attempt, w.epoch, w.due_at FROM queued_runs w
  WHERE w.pool_id = $1::uuid AND w.deployment_id = o.deployment_id AND w.queue_id = o.queue_id
    AND w.gated AND NOT w.paused AND w.due_at <= statement_timestamp()
  ORDER BY w.due_at, w.run_id
  LIMIT greatest(o.most, 0)
  FOR UPDATE OF w SKIP LOCKED
) AS r
CROSS JOIN LATERAL (SELECT parameters, job_variables, display_name FROM flow_runs WHERE id = r.run_id OFFSET 0) AS f
ORDER BY o.place, r.due_at, r.run_id LIMIT $4::integer

-- Of those that have a counter. In one fixed order: kind, then id.
-- name: lock_counters
SELECT c.kind, c.id FROM slot_counters c JOIN unnest($1::text[], $2::uuid[]) AS t (kind, id) ON t.kind = c.kind AND t.id = c.id
ORDER BY c.kind, c.id FOR UPDATE OF c

-- Under the locks: slots left (null: no limit any more), and whether they decay.
-- name: slots_left_of
SELECT c.kind, c.id,
       CASE c.kind WHEN 'pool' THEN (SELECT concurrency_limit FROM work_pools WHERE id = c.id) - c.in_use
                   WHEN 'queue' THEN (SELECT concurrency_limit FROM work_queues WHERE id = c.id) - c.in_use
                   WHEN 'deployment' THEN (SELECT concurrency_limit FROM deployments WHERE id = c.id) - c.in_use
                   ELSE slots_left(c.id) END,
       EXISTS (SELECT FROM concurrency_limits n WHERE n.id = c.id AND n.decay_per_second IS NOT NULL)
FROM slot_counters c JOIN unnest($1::text[], $2::uuid[]) AS t (kind, id) ON t.kind = c.kind AND t.id = c.id

-- The runs are locked; found as attempts are (place_of_attempt, runs.sql).
-- name: grant_attempts
WITH input AS MATERIALIZED (
  SELECT t.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $6::text[])
                  AS t (run_id, worker_id, request_id, ticket_hash, limits)
  JOIN worker_leases l ON l.worker_id = t.worker_id AND l.deadline > clock_timestamp()
), taken AS (
  DELETE FROM queued_runs r USING input i
  CROSS JOIN LATERAL (SELECT ctid FROM queued_runs WHERE run_id = i.run_id OFFSET 0) AS place
  WHERE r.ctid = place.ctid
  RETURNING r.*, i.worker_id, i.request_id, i.ticket_hash, i.limits
), granted AS (
  INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, poll_request_id,
                             ticket_hash, start_deadline, protocol_retries, crash_retries, user_retries, log_offset,
                             limits)
  SELECT run_id, attempt, epoch + 1, pool_id, queue_id, deployment_id, worker_id, request_id, ticket_hash,
         clock_timestamp() + $5::integer * interval '1 millisecond', protocol_retries, crash_retries, user_retries,
         log_offset, limits::uuid[]
  FROM taken
  RETURNING *
), events AS (
  {{record_steps}} (
    SELECT granted_at, run_id, pool_id, deployment_id, attempt, 'PENDING', '', '' FROM granted
  ) AS {{steps}}
)
SELECT run_id, micros(start_deadline) FROM granted

-- Runs in the queue's own order whose deployment has got a limit since: they step beside it.
-- name: gate_runs_late
UPDATE queued_runs SET gated = true, blocked = true WHERE run_id = ANY ($1::uuid[])

-- Runs that are due while their deployment's limit is reached, where it wants no queue of them. A run that had an
-- attempt is no new one. Null: of all pools. At most 500 of a deployment in a turn; only those are looked at, however many
-- runs of others wait.
-- name: cancel_collisions
WITH reached AS MATERIALIZED (
  SELECT d.id, d.pool_id FROM deployments d JOIN slot_counters c ON c.kind = 'deployment' AND c.id = d.id
  WHERE ($1::uuid IS NULL OR d.pool_id = $1::uuid) AND d.collision = 'CANCEL_NEW' AND c.in_use >= d.concurrency_limit
), doomed AS MATERIALIZED (
  SELECT n.run_id FROM reached
  CROSS JOIN LATERAL (SELECT w.run_id FROM queued_runs w
                      WHERE w.pool_id = reached.pool_id AND w.deployment_id = reached.id AND w.gated AND NOT w.paused
                        AND w.due_at <= statement_timestamp() AND w.attempt = 1
                      LIMIT 500) AS n
), gone AS (
  DELETE FROM queued_runs w
  WHERE w.run_id = ANY (ARRAY(SELECT run_id FROM doomed)) AND w.gated AND NOT w.paused AND w.attempt = 1
  RETURNING w.run_id, w.log_offset, w.deployment_id
), ended AS (
  UPDATE flow_runs f
  SET state = 'CANCELLED', state_reason = 'COLLISION', attempts = 0, ended_at = clock_timestamp(),
      log_end = gone.log_offset,
      state_message = 'its deployment already had ' || d.concurrency_limit || ' running, and cancels new runs then'
  FROM gone JOIN deployments d ON d.id = gone.deployment_id
  WHERE f.id = gone.run_id
  RETURNING f.*
)
{{record_ends}}

-- Locks what it changes in the one fixed order.
-- name: bump_counters
WITH locked AS MATERIALIZED (
  SELECT c.kind, c.id, t.delta FROM slot_counters c
  JOIN unnest($1::text[], $2::uuid[], $3::integer[]) AS t (kind, id, delta) ON t.kind = c.kind AND t.id = c.id
  ORDER BY c.kind, c.id FOR UPDATE OF c
)
UPDATE slot_counters c SET in_use = c.in_use + l.delta FROM locked l WHERE c.kind = l.kind AND c.id = l.id

-- name: pools_of_limits
SELECT DISTINCT d.pool_id FROM deployment_limits dl JOIN deployments d ON d.id = dl.deployment_id
WHERE dl.limit_id = ANY ($1::uuid[]) AND d.deleted_at IS NULL

-- Slots that come back by themselves. Under the counters' locks.
-- name: take_decaying
UPDATE slot_counters c
SET decaying = greatest(0, c.decaying - n.decay_per_second * extract(epoch FROM clock_timestamp() - c.decayed_at)) + t.taken,
    decayed_at = clock_timestamp()
FROM unnest($1::uuid[], $2::integer[]) AS t (id, taken) JOIN concurrency_limits n ON n.id = t.id
WHERE c.kind = 'named' AND c.id = t.id

-- Milliseconds until the next waiting run of the pool becomes due, or a slot that decays comes back to one that waits.
-- name: next_due
SELECT (extract(epoch FROM least(open.due_at, gated.due_at) - clock_timestamp()) * 1000)::bigint,
       (SELECT min(ceil(1000 * (decayed(n.id) - (n.slots - 1)) / n.decay_per_second))::bigint
        FROM deployments d
        JOIN deployment_limits dl ON dl.deployment_id = d.id
        JOIN concurrency_limits n ON n.id = dl.limit_id AND n.decay_per_second IS NOT NULL AND n.slots > 0
        WHERE gated.waiting AND d.pool_id = $1::uuid AND decayed(n.id) > n.slots - 1)
FROM (SELECT min(n.due_at) AS due_at FROM work_queues q
      CROSS JOIN LATERAL (SELECT r.due_at FROM queued_runs r
                          WHERE r.queue_id = q.id AND NOT r.blocked AND r.due_at > statement_timestamp()
                          ORDER BY r.due_at LIMIT 1) AS n
      WHERE q.pool_id = $1::uuid AND q.deleted_at IS NULL AND NOT q.paused) AS open
CROSS JOIN (SELECT (SELECT r.due_at FROM queued_runs r
                    WHERE r.pool_id = $1::uuid AND r.gated AND NOT r.paused AND r.due_at > statement_timestamp()
                    ORDER BY r.due_at LIMIT 1) AS due_at,
                   EXISTS (SELECT FROM queued_runs r WHERE r.pool_id = $1::uuid AND r.gated AND NOT r.paused
                                                       AND r.due_at <= statement_timestamp()) AS waiting) AS gated

-- Pools of the given ones in which something is ready: the safety net under the notifications.
-- name: probe_pools
SELECT p.id FROM unnest($1::uuid[]) AS p (id)
CROSS JOIN LATERAL (
  SELECT FROM work_queues q CROSS JOIN LATERAL (
    SELECT FROM queued_runs r WHERE r.queue_id = q.id AND NOT r.blocked AND r.due_at <= statement_timestamp() LIMIT 1) AS ready
  WHERE q.pool_id = p.id AND q.deleted_at IS NULL
  UNION ALL
  SELECT FROM queued_runs r WHERE r.pool_id = p.id AND r.gated AND NOT r.paused AND r.due_at <= statement_timestamp()
  LIMIT 1) AS ready

-- Grants of an earlier poll whose answer was lost, if nothing has begun; each gets a fresh ticket.
-- name: lock_replayed
SELECT h.run_id, h.attempt, h.epoch, h.deployment_id, d.revision, f.parameters, f.job_variables, f.display_name,
       micros(h.start_deadline), h.queue_id
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
CROSS JOIN LATERAL (SELECT parameters, job_variables, display_name FROM flow_runs WHERE id = h.run_id OFFSET 0) AS f
WHERE h.worker_id = $1::uuid AND h.poll_request_id = $2::uuid AND h.phase < 3
ORDER BY h.run_id FOR UPDATE OF h

-- name: renew_tickets
UPDATE held_attempts h SET ticket_hash = t.ticket_hash
FROM unnest($1::uuid[], $2::bytea[]) AS t (run_id, ticket_hash)
{{place_of_attempt}}

-- name: lock_sightings
SELECT h.run_id, h.attempt, h.epoch, h.deployment_id, d.revision, f.parameters, f.job_variables, f.display_name,
       micros(h.start_deadline), h.queue_id, h.worker_id, h.phase,
       CASE WHEN h.cancel_requested_at IS NOT NULL THEN coalesce(h.stop_reason, 'CANCEL_REQUESTED') END,
       h.worker_log_sequence,
       (extract(epoch FROM l.deadline - clock_timestamp()) * 1000)::bigint, h.pool_id
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
CROSS JOIN LATERAL (SELECT parameters, job_variables, display_name FROM flow_runs WHERE id = h.run_id OFFSET 0) AS f
LEFT JOIN worker_leases l ON l.worker_id = h.worker_id
WHERE h.run_id = ANY ($1::uuid[]) AND h.pool_id = $2::uuid
ORDER BY h.run_id FOR UPDATE OF h

-- name: adopt_attempts
UPDATE held_attempts h
SET worker_id = $1::uuid, epoch = h.epoch + t.step, ticket_hash = t.ticket_hash, orphaned_at = NULL,
    start_deadline = CASE WHEN h.phase < 3 THEN clock_timestamp() + $5::integer * interval '1 millisecond'
                          ELSE h.start_deadline END
FROM unnest($2::uuid[], $3::integer[], $4::bytea[]) AS t (run_id, step, ticket_hash)
{{place_of_attempt}}
