-- name: insert_pool
INSERT INTO work_pools (id, name, type, description, base_job_template, concurrency_limit, lease_ttl_ms,
                        start_deadline_ms, cancel_grace_ms, crash_after_ms, late_after_ms, team_id, creator_id, policy,
                        retention_ms)
VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::integer, $7::integer, $8::integer, $9::integer,
        $10::integer, $11::integer, $12::uuid, $13::uuid, $14::text, $15::bigint)

-- name: list_pools
SELECT p.id, p.name, p.type, p.description, p.base_job_template, p.concurrency_limit, p.paused, p.lease_ttl_ms,
       p.start_deadline_ms, p.cancel_grace_ms, p.crash_after_ms, p.revision, micros(p.created_at), micros(p.updated_at),
       u.name, t.name,
       (SELECT count(*) FROM held_attempts h WHERE h.pool_id = p.id AND NOT h.alone),
       (SELECT count(*) FROM workers w JOIN worker_leases l ON l.worker_id = w.id
        WHERE w.pool_id = p.id AND l.deadline > clock_timestamp()),
       -- Bounded, so that a page never reads a backlog of millions.
       (SELECT count(*) FROM (SELECT 1 FROM queued_runs r WHERE r.queue_id IN (SELECT id FROM work_queues WHERE pool_id = p.id)
                              AND NOT r.blocked LIMIT 100001) AS bounded)
       + (SELECT count(*) FROM (SELECT 1 FROM queued_runs r WHERE r.pool_id = p.id AND r.blocked LIMIT 10001) AS bounded),
       p.policy,
       (SELECT count(*) FROM workers w JOIN worker_leases l ON l.worker_id = w.id
        WHERE w.pool_id = p.id AND l.deadline > clock_timestamp() AND l.not_ready_reason = ''),
       (SELECT min(l.not_ready_reason) FROM workers w JOIN worker_leases l ON l.worker_id = w.id
        WHERE w.pool_id = p.id AND l.deadline > clock_timestamp() AND l.not_ready_reason <> ''),
       p.late_after_ms, p.retention_ms
FROM work_pools p
JOIN users u ON u.id = p.creator_id
JOIN teams t ON t.id = p.team_id
WHERE p.deleted_at IS NULL AND ($1::text IS NULL OR p.name = $1::text) AND ($2::text IS NULL OR p.name > $2::text)
ORDER BY p.name LIMIT $3::integer

-- name: pool_names
SELECT name FROM work_pools WHERE deleted_at IS NULL ORDER BY name LIMIT 1000

-- name: lock_pool
SELECT id, type, revision FROM work_pools WHERE name = $1::text AND deleted_at IS NULL FOR UPDATE

-- Each pair: whether the mask names the field, and its value.
-- name: update_pool
UPDATE work_pools
SET description = CASE WHEN $2::boolean THEN $3::text ELSE description END,
    base_job_template = CASE WHEN $4::boolean THEN $5::text ELSE base_job_template END,
    concurrency_limit = CASE WHEN $6::boolean THEN $7::integer ELSE concurrency_limit END,
    lease_ttl_ms = CASE WHEN $8::boolean THEN $9::integer ELSE lease_ttl_ms END,
    start_deadline_ms = CASE WHEN $8::boolean THEN $10::integer ELSE start_deadline_ms END,
    cancel_grace_ms = CASE WHEN $8::boolean THEN $11::integer ELSE cancel_grace_ms END,
    crash_after_ms = CASE WHEN $8::boolean THEN $12::integer ELSE crash_after_ms END,
    late_after_ms = CASE WHEN $8::boolean THEN $13::integer ELSE late_after_ms END,
    policy = CASE WHEN $14::boolean THEN $15::text ELSE policy END,
    retention_ms = CASE WHEN $16::boolean THEN $17::bigint ELSE retention_ms END,
    revision = revision + 1, updated_at = now()
WHERE id = $1::uuid

-- name: set_pool_paused
UPDATE work_pools SET paused = $2::boolean, revision = revision + 1, updated_at = now() WHERE id = $1::uuid

-- name: pool_needs
SELECT (SELECT count(*) FROM held_attempts WHERE pool_id = $1::uuid),
       (SELECT count(*) FROM (SELECT 1 FROM queued_runs WHERE pool_id = $1::uuid LIMIT 10001) AS bounded),
       (SELECT count(*) FROM deployments WHERE pool_id = $1::uuid AND deleted_at IS NULL)

-- name: queued_of_pool
SELECT run_id FROM queued_runs WHERE pool_id = $1::uuid

-- name: delete_pool
WITH queues AS (
  UPDATE work_queues SET deleted_at = now() WHERE pool_id = $1::uuid AND deleted_at IS NULL RETURNING id
), served AS (
  UPDATE deployments SET deleted_at = now() WHERE pool_id = $1::uuid AND deleted_at IS NULL
), keys AS (
  UPDATE credentials SET revoked_at = now() WHERE pool_id = $1::uuid AND revoked_at IS NULL
), counters AS (
  DELETE FROM slot_counters WHERE id = $1::uuid OR id IN (SELECT id FROM work_queues WHERE pool_id = $1::uuid)
)
UPDATE work_pools SET deleted_at = now(), revision = revision + 1 WHERE id = $1::uuid

-- A limited scope has a counter, started from what is held; one without a limit has none.
-- name: start_counter
INSERT INTO slot_counters (kind, id, in_use)
SELECT $1::text, $2::uuid, count(*) FROM held_attempts h
WHERE NOT h.alone AND CASE $1::text WHEN 'pool' THEN h.pool_id = $2::uuid WHEN 'queue' THEN h.queue_id = $2::uuid
                    ELSE h.deployment_id = $2::uuid END
ON CONFLICT (kind, id) DO UPDATE SET in_use = excluded.in_use

-- name: stop_counter
DELETE FROM slot_counters WHERE kind = $1::text AND id = $2::uuid

-- What workers and dispatch need of a pool.
-- name: read_pool_snapshot
SELECT id, name, type, revision, base_job_template, coalesce(lease_ttl_ms, 15000),
       coalesce(start_deadline_ms, default_start_deadline_ms(type)), coalesce(cancel_grace_ms, 30000), paused,
       deleted_at IS NOT NULL, policy
FROM work_pools
WHERE ($1::uuid IS NULL OR id = $1::uuid) AND ($2::text IS NULL OR (name = $2::text AND deleted_at IS NULL))

