-- name: insert_worker
INSERT INTO workers (id, pool_id, instance_id, name, type, queues, slots, version, labels, credential_id, team_id,
                     creator_id)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text[], $7::integer, $8::text, $9::jsonb, $10::uuid,
        $11::uuid, $12::uuid)
ON CONFLICT (pool_id, instance_id) DO UPDATE SET slots = excluded.slots
RETURNING id, draining, last_seen_at IS NOT NULL

-- name: open_lease
INSERT INTO worker_leases (worker_id, ttl_ms, seen_at, deadline, not_ready_reason)
VALUES ($1::uuid, $2::integer, clock_timestamp(), clock_timestamp() + $2::integer * interval '1 millisecond', $3::text)
ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at, deadline = excluded.deadline,
                                      not_ready_reason = excluded.not_ready_reason

-- A lease that is over but whose row nobody has taken away yet may live on: nobody else has acted on its end.
-- name: renew_leases
UPDATE worker_leases l
SET seen_at = clock_timestamp(), deadline = clock_timestamp() + l.ttl_ms * interval '1 millisecond'
WHERE l.worker_id = ANY ($1::uuid[])
RETURNING l.worker_id, l.ttl_ms

-- name: set_readiness
UPDATE worker_leases l SET not_ready_reason = said.reason
FROM unnest($1::uuid[], $2::text[]) AS said (worker_id, reason)
WHERE l.worker_id = said.worker_id AND l.not_ready_reason <> said.reason

-- name: end_leases
WITH gone AS (
  DELETE FROM worker_leases WHERE worker_id = ANY ($1::uuid[]) RETURNING worker_id, seen_at
), orphans AS (
  UPDATE held_attempts SET orphaned_at = clock_timestamp() WHERE worker_id = ANY (ARRAY(SELECT worker_id FROM gone))
)
UPDATE workers w SET last_seen_at = gone.seen_at FROM gone WHERE w.id = gone.worker_id
RETURNING w.id, w.pool_id

-- Ids of the pool among the given ones: nobody ends a lease of another pool.
-- name: workers_of_pool
SELECT id FROM workers WHERE id = ANY ($1::uuid[]) AND pool_id = $2::uuid

-- name: held_by_workers
SELECT worker_id, run_id, attempt, epoch,
       CASE WHEN cancel_requested_at IS NOT NULL THEN coalesce(stop_reason, 'CANCEL_REQUESTED') END, stop_grace_ms
FROM held_attempts WHERE worker_id = ANY ($1::uuid[])

-- name: set_draining
UPDATE workers SET draining = true WHERE id = $1::uuid

-- What a server must know of a worker that registered with another one.
-- name: read_worker
SELECT w.id, w.pool_id, w.queues, w.draining, w.credential_id, w.slots, w.name, l.worker_id IS NOT NULL
FROM workers w LEFT JOIN worker_leases l ON l.worker_id = w.id WHERE w.id = $1::uuid

-- name: list_workers
SELECT w.id, w.name, p.name, w.type, w.queues, w.slots, w.version, w.labels::text, w.draining,
       micros(w.registered_at), micros(coalesce(l.seen_at, w.last_seen_at)), u.name, t.name,
       (l.deadline > clock_timestamp()) IS TRUE,
       (SELECT count(*) FROM held_attempts h WHERE h.worker_id = w.id), coalesce(l.not_ready_reason, '')
FROM workers w
JOIN work_pools p ON p.id = w.pool_id
JOIN users u ON u.id = w.creator_id
JOIN teams t ON t.id = w.team_id
LEFT JOIN worker_leases l ON l.worker_id = w.id
WHERE ($1::uuid IS NULL OR w.id = $1::uuid)
  AND ($2::text IS NULL OR (p.name = $2::text AND p.deleted_at IS NULL))
  AND ($3::boolean OR l.deadline > clock_timestamp())
  AND ($4::uuid IS NULL OR w.id < $4::uuid)
ORDER BY w.id DESC LIMIT $5::integer
