-- Takes or keeps a duty; answers the fence while it is ours.
-- name: take_duty
INSERT INTO duty_leases AS d (name, holder, fence, deadline)
VALUES ($1::text, $2::uuid, 1, clock_timestamp() + $3::integer * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE
  SET holder = excluded.holder, deadline = excluded.deadline,
      fence = d.fence + CASE WHEN d.holder = excluded.holder THEN 0 ELSE 1 END
  WHERE d.holder = excluded.holder OR d.deadline < clock_timestamp()
RETURNING fence

-- Locks the duty for the transaction that writes under it: nobody else can take it over before the commit.
-- name: check_fence
SELECT 1 FROM duty_leases WHERE name = $1::text AND holder = $2::uuid AND fence = $3::bigint FOR SHARE

-- name: expire_leases
WITH gone AS (
  DELETE FROM worker_leases WHERE deadline < clock_timestamp() RETURNING worker_id, seen_at
)
UPDATE workers w SET last_seen_at = gone.seen_at FROM gone WHERE w.id = gone.worker_id
RETURNING w.id, w.pool_id, w.name

-- Attempts whose worker has no lease, that were never begun in time, or that nobody has heard of for too long.
-- name: lock_overdue
SELECT h.run_id, h.attempt, h.epoch, h.pool_id, h.queue_id, h.deployment_id, h.worker_id, h.phase,
       h.cancel_requested_at IS NOT NULL, h.protocol_retries, h.crash_retries, d.crash_retries, h.ticket_hash,
       h.worker_log_sequence, h.run_token_hash,
       CASE WHEN h.orphaned_at IS NOT NULL AND l.worker_id IS NULL
                 AND greatest(h.orphaned_at, h.run_seen_at) + coalesce(p.crash_after_ms, 30000) * interval '1 millisecond'
                     < clock_timestamp() THEN 'silent'
            WHEN l.worker_id IS NULL AND (h.orphaned_at IS NULL OR h.phase < 3) THEN 'lease'
            ELSE 'start' END,
       w.name
FROM held_attempts h
JOIN deployments d ON d.id = h.deployment_id
JOIN work_pools p ON p.id = h.pool_id
JOIN workers w ON w.id = h.worker_id
LEFT JOIN worker_leases l ON l.worker_id = h.worker_id
WHERE (l.worker_id IS NULL
       AND (h.orphaned_at IS NULL
            -- A worker that was replaced by its own successor leaves the successor a moment to adopt.
            OR (h.phase < 3 AND h.orphaned_at + interval '5 seconds' < clock_timestamp())
            OR greatest(h.orphaned_at, h.run_seen_at) + coalesce(p.crash_after_ms, 30000) * interval '1 millisecond'
               < clock_timestamp()))
   OR (h.phase < 3 AND h.start_deadline < clock_timestamp())
ORDER BY h.run_id LIMIT 500
FOR UPDATE OF h SKIP LOCKED

-- name: mark_orphans
UPDATE held_attempts h SET orphaned_at = coalesce(w.last_seen_at, clock_timestamp())
FROM workers w WHERE h.run_id = ANY ($1::uuid[]) AND w.id = h.worker_id

-- name: drop_old_idempotency_keys
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM idempotency_keys WHERE expires_at < clock_timestamp() LIMIT 5000))

-- name: drop_old_join_tokens
DELETE FROM credentials WHERE kind = 'join' AND expires_at < clock_timestamp() - interval '1 day'

-- Counters that differ from what is held: always a defect, reported and put right.
-- name: recount_slots
WITH truth AS (
  SELECT c.kind, c.id, (SELECT count(*) FROM held_attempts h
                        WHERE (c.kind = 'pool' AND h.pool_id = c.id) OR (c.kind = 'queue' AND h.queue_id = c.id)) AS held
  FROM slot_counters c WHERE (c.kind = 'pool' AND c.id = $1::uuid)
     OR (c.kind = 'queue' AND c.id IN (SELECT id FROM work_queues WHERE pool_id = $1::uuid))
)
UPDATE slot_counters c SET in_use = truth.held FROM truth
WHERE c.kind = truth.kind AND c.id = truth.id AND c.in_use <> truth.held
RETURNING c.kind, c.id, c.in_use

-- name: limited_pools
SELECT DISTINCT coalesce(q.pool_id, c.id) FROM slot_counters c LEFT JOIN work_queues q ON c.kind = 'queue' AND q.id = c.id
