-- Held by every transaction that grants or releases slots of these pools; taken exclusively by a change of limits, which
-- then counts what is held and starts the counters from there.
-- name: share_limits
SELECT pg_advisory_xact_lock_shared(hashtextextended(id::text, 0)) FROM unnest($1::uuid[]) AS id ORDER BY id

-- name: own_limits
SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))

-- name: claim_state
SELECT p.paused, p.concurrency_limit, pc.in_use, q.id, q.priority, q.paused, q.concurrency_limit, qc.in_use,
       coalesce(p.start_deadline_ms, default_start_deadline_ms(p.type))
FROM work_pools p
JOIN work_queues q ON q.pool_id = p.id AND q.deleted_at IS NULL
LEFT JOIN slot_counters pc ON pc.kind = 'pool' AND pc.id = p.id
LEFT JOIN slot_counters qc ON qc.kind = 'queue' AND qc.id = q.id
WHERE p.id = $1::uuid

-- Counter rows in one fixed order: kind, then id.
-- name: lock_counters
SELECT c.kind, c.id, c.in_use FROM slot_counters c
WHERE (c.kind = 'pool' AND c.id = $1::uuid)
   OR (c.kind = 'queue' AND c.id IN (SELECT id FROM work_queues WHERE pool_id = $1::uuid))
ORDER BY c.kind, c.id FOR UPDATE

-- The queues come in priority order, each with its own most; the outer limit stops the walk, so nothing behind it is
-- read or locked.
-- name: claim_candidates
SELECT r.run_id, r.queue_id, r.deployment_id, r.attempt, r.epoch, r.revision, f.parameters, f.job_variables,
       f.display_name
FROM unnest($1::uuid[], $2::integer[]) AS q (id, most)
CROSS JOIN LATERAL (
  SELECT w.run_id, w.queue_id, w.deployment_id, w.attempt, w.epoch, d.revision
  FROM queued_runs w JOIN deployments d ON d.id = w.deployment_id
  WHERE w.queue_id = q.id AND NOT w.blocked AND w.due_at <= statement_timestamp()
    AND NOT d.paused AND d.quarantine_reason IS NULL
  ORDER BY w.due_at, w.run_id
  LIMIT q.most
  FOR UPDATE OF w SKIP LOCKED
) AS r
JOIN LATERAL (SELECT parameters, job_variables, display_name FROM flow_runs WHERE id = r.run_id) AS f ON true
LIMIT $3::integer

-- name: grant_attempts
WITH input AS MATERIALIZED (
  SELECT t.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) AS t (run_id, worker_id, request_id, ticket_hash)
  JOIN worker_leases l ON l.worker_id = t.worker_id AND l.deadline > clock_timestamp()
), taken AS (
  DELETE FROM queued_runs r USING input i WHERE r.run_id = i.run_id
  RETURNING r.*, i.worker_id, i.request_id, i.ticket_hash
)
INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, poll_request_id,
                           ticket_hash, start_deadline, protocol_retries, crash_retries, log_offset)
SELECT run_id, attempt, epoch + 1, pool_id, queue_id, deployment_id, worker_id, request_id, ticket_hash,
       clock_timestamp() + $5::integer * interval '1 millisecond', protocol_retries, crash_retries, log_offset
FROM taken
RETURNING run_id, micros(start_deadline), queue_id

-- name: bump_counters
UPDATE slot_counters c SET in_use = c.in_use + t.delta
FROM unnest($1::text[], $2::uuid[], $3::integer[]) AS t (kind, id, delta)
WHERE c.kind = t.kind AND c.id = t.id

-- Milliseconds until the next waiting run of the pool becomes due, by the database's clock.
-- name: next_due
SELECT (extract(epoch FROM min(n.due_at) - clock_timestamp()) * 1000)::bigint FROM work_queues q
CROSS JOIN LATERAL (SELECT r.due_at FROM queued_runs r
                    WHERE r.queue_id = q.id AND NOT r.blocked AND r.due_at > statement_timestamp()
                    ORDER BY r.due_at LIMIT 1) AS n
WHERE q.pool_id = $1::uuid AND NOT q.paused

-- Pools of the given ones in which something is ready: the safety net under the notifications.
-- name: probe_pools
SELECT q.pool_id FROM work_queues q
WHERE q.pool_id = ANY ($1::uuid[]) AND q.deleted_at IS NULL
  AND EXISTS (SELECT FROM queued_runs r
              WHERE r.queue_id = q.id AND NOT r.blocked AND r.due_at <= statement_timestamp())
GROUP BY q.pool_id

-- Grants of an earlier poll whose answer was lost, if nothing has begun; each gets a fresh ticket.
-- name: lock_replayed
SELECT h.run_id, h.attempt, h.epoch, h.deployment_id, d.revision, f.parameters, f.job_variables, f.display_name,
       micros(h.start_deadline), h.queue_id
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
JOIN flow_runs f ON f.id = h.run_id
WHERE h.worker_id = $1::uuid AND h.poll_request_id = $2::uuid AND h.phase < 3
ORDER BY h.run_id FOR UPDATE OF h

-- name: renew_tickets
UPDATE held_attempts h SET ticket_hash = t.ticket_hash
FROM unnest($1::uuid[], $2::bytea[]) AS t (run_id, ticket_hash) WHERE h.run_id = t.run_id

-- name: lock_sightings
SELECT h.run_id, h.attempt, h.epoch, h.deployment_id, d.revision, f.parameters, f.job_variables, f.display_name,
       micros(h.start_deadline), h.queue_id, h.worker_id, h.phase, h.cancel_requested_at IS NOT NULL,
       h.worker_log_sequence,
       (extract(epoch FROM l.deadline - clock_timestamp()) * 1000)::bigint, h.pool_id
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
JOIN flow_runs f ON f.id = h.run_id
LEFT JOIN worker_leases l ON l.worker_id = h.worker_id
WHERE h.run_id = ANY ($1::uuid[]) AND h.pool_id = $2::uuid
ORDER BY h.run_id FOR UPDATE OF h

-- name: adopt_attempts
UPDATE held_attempts h
SET worker_id = $1::uuid, epoch = h.epoch + t.step, ticket_hash = t.ticket_hash, orphaned_at = NULL,
    start_deadline = CASE WHEN h.phase < 3 THEN clock_timestamp() + $5::integer * interval '1 millisecond'
                          ELSE h.start_deadline END
FROM unnest($2::uuid[], $3::integer[], $4::bytea[]) AS t (run_id, step, ticket_hash)
WHERE h.run_id = t.run_id
