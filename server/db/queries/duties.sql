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
  SELECT c.kind, c.id,
         (SELECT count(*) FROM held_attempts h
          WHERE NOT h.alone AND CASE c.kind WHEN 'pool' THEN h.pool_id = c.id WHEN 'queue' THEN h.queue_id = c.id
                            ELSE h.deployment_id = c.id END) AS held
  FROM slot_counters c WHERE (c.kind = 'pool' AND c.id = $1::uuid)
     OR (c.kind = 'queue' AND c.id IN (SELECT id FROM work_queues WHERE pool_id = $1::uuid))
     OR (c.kind = 'deployment' AND c.id IN (SELECT id FROM deployments WHERE pool_id = $1::uuid))
)
UPDATE slot_counters c SET in_use = truth.held FROM truth
WHERE c.kind = truth.kind AND c.id = truth.id AND c.in_use <> truth.held
RETURNING c.kind, c.id, c.in_use

-- name: limited_pools
SELECT DISTINCT coalesce(q.pool_id, d.pool_id, c.id) FROM slot_counters c
LEFT JOIN work_queues q ON c.kind = 'queue' AND q.id = c.id
LEFT JOIN deployments d ON c.kind = 'deployment' AND d.id = c.id
WHERE c.kind <> 'named'

-- Runs that came back to the queue of a paused deployment in the very moment in which it was resumed.
-- name: free_stranded_runs
WITH freed AS (
  UPDATE queued_runs w SET blocked = false FROM deployments d
  WHERE d.id = w.deployment_id AND w.blocked AND NOT w.gated AND NOT w.paused AND NOT d.paused AND d.quarantine_reason IS NULL
  RETURNING w.pool_id
)
SELECT DISTINCT pool_id FROM freed

-- Shared limits, under their counters' locks, which every grant and release holds to its commit.
-- name: lock_shared_counters
SELECT id FROM slot_counters WHERE kind = 'named' ORDER BY id FOR UPDATE

-- name: recount_shared_slots
UPDATE slot_counters c SET in_use = truth.held
FROM (SELECT s.id, (SELECT count(*) FROM held_attempts h WHERE s.id = ANY (h.limits)) AS held
      FROM slot_counters s WHERE s.kind = 'named') AS truth
WHERE c.kind = 'named' AND c.id = truth.id AND c.in_use <> truth.held
RETURNING c.id
