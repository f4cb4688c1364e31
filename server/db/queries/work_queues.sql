-- name: insert_queue
INSERT INTO work_queues (id, pool_id, name, description, priority, concurrency_limit, team_id, creator_id)
SELECT $1::uuid, $2::uuid, $3::text, $4::text,
       coalesce($5::integer, (SELECT max(priority) + 1 FROM work_queues WHERE pool_id = $2::uuid AND deleted_at IS NULL), 1),
       $6::integer, $7::uuid, $8::uuid

-- name: list_queues
SELECT q.id, p.name, q.name, q.description, q.priority, q.concurrency_limit, q.paused, micros(q.created_at),
       micros(q.updated_at),
       (SELECT count(*) FROM (SELECT 1 FROM queued_runs r WHERE r.queue_id = q.id LIMIT 100001) AS bounded),
       (SELECT count(*) FROM held_attempts h WHERE h.queue_id = q.id AND NOT h.alone), q.pool_id
FROM work_queues q JOIN work_pools p ON p.id = q.pool_id
WHERE p.name = $1::text AND p.deleted_at IS NULL AND q.deleted_at IS NULL AND ($2::text IS NULL OR q.name = $2::text)
  AND ($3::integer IS NULL OR (q.priority, q.name) > ($3::integer, $4::text))
ORDER BY q.priority, q.name LIMIT $5::integer

-- name: update_queue
UPDATE work_queues
SET description = CASE WHEN $2::boolean THEN $3::text ELSE description END,
    priority = CASE WHEN $4::boolean THEN $5::integer ELSE priority END,
    concurrency_limit = CASE WHEN $6::boolean THEN $7::integer ELSE concurrency_limit END,
    updated_at = now()
WHERE id = $1::uuid

-- name: set_queue_paused
UPDATE work_queues SET paused = $2::boolean, updated_at = now() WHERE id = $1::uuid

-- name: queue_needs
SELECT (SELECT count(*) FROM held_attempts WHERE queue_id = $1::uuid)
       + (SELECT count(*) FROM (SELECT 1 FROM queued_runs WHERE queue_id = $1::uuid LIMIT 10001) AS bounded),
       (SELECT count(*) FROM deployments WHERE queue_id = $1::uuid AND deleted_at IS NULL)

-- name: delete_queue
WITH counter AS (DELETE FROM slot_counters WHERE kind = 'queue' AND id = $1::uuid)
UPDATE work_queues SET deleted_at = now() WHERE id = $1::uuid

-- name: queue_ids
SELECT name, id FROM work_queues WHERE pool_id = $1::uuid AND deleted_at IS NULL
