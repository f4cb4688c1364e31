-- Its counter is made with it and lives as long.
-- name: insert_limit
WITH made AS (
  INSERT INTO concurrency_limits (id, name, description, slots, decay_per_second, team_id, creator_id)
  VALUES ($1::uuid, $2::text, $3::text, $4::integer, $5::double precision, $6::uuid, $7::uuid) RETURNING id
)
INSERT INTO slot_counters (kind, id, in_use) SELECT 'named', id, 0 FROM made

-- name: list_limits
SELECT n.id, t.name, n.name, n.description, n.slots, n.decay_per_second,
       CASE WHEN n.decay_per_second IS NULL THEN c.in_use ELSE decayed(n.id) END,
       (SELECT count(*) FROM deployment_limits dl JOIN deployments d ON d.id = dl.deployment_id
        WHERE dl.limit_id = n.id AND d.deleted_at IS NULL),
       micros(n.created_at), micros(n.updated_at), u.name
FROM concurrency_limits n
JOIN slot_counters c ON c.kind = 'named' AND c.id = n.id
JOIN teams t ON t.id = n.team_id
JOIN users u ON u.id = n.creator_id
WHERE n.team_id = $1::uuid AND ($2::text IS NULL OR n.name = $2::text) AND ($3::text IS NULL OR n.name > $3::text)
ORDER BY n.name LIMIT $4::integer

-- name: limit_names
SELECT name FROM concurrency_limits WHERE team_id = $1::uuid ORDER BY name LIMIT 1000

-- name: find_limit
SELECT id FROM concurrency_limits WHERE team_id = $1::uuid AND name = $2::text

-- Runs that are due and would take a slot.
-- name: waiting_for_limit
SELECT count(*) FROM (
  SELECT FROM deployment_limits dl
  JOIN deployments d ON d.id = dl.deployment_id
  JOIN queued_runs w ON w.deployment_id = d.id AND w.pool_id = d.pool_id AND w.gated AND NOT w.paused
                        AND w.due_at <= statement_timestamp()
  WHERE dl.limit_id = $1::uuid LIMIT 10000) AS bounded

-- Each pair: whether the mask names the field, and its value. Nothing is answered when slots would begin or cease to
-- decay.
-- name: update_limit
UPDATE concurrency_limits
SET description = CASE WHEN $2::boolean THEN $3::text ELSE description END,
    slots = CASE WHEN $4::boolean THEN $5::integer ELSE slots END,
    decay_per_second = CASE WHEN $6::boolean THEN $7::double precision ELSE decay_per_second END,
    updated_at = now()
WHERE id = $1::uuid
  AND NOT ($6::boolean AND (decay_per_second IS NULL) <> ($7::double precision IS NULL))
RETURNING id

-- Deployments that are gone do not count.
-- name: limit_users
SELECT f.name || '/' || d.name FROM deployment_limits dl
JOIN deployments d ON d.id = dl.deployment_id JOIN flows f ON f.id = d.flow_id
WHERE dl.limit_id = $1::uuid AND d.deleted_at IS NULL ORDER BY 1 LIMIT 2

-- name: delete_limit
WITH links AS (DELETE FROM deployment_limits WHERE limit_id = $1::uuid),
     counter AS (DELETE FROM slot_counters WHERE kind = 'named' AND id = $1::uuid)
DELETE FROM concurrency_limits WHERE id = $1::uuid

-- Its own limit, and the names of those it shares, sorted.
-- name: read_deployment_limits
SELECT d.concurrency_limit,
       ARRAY(SELECT n.name FROM deployment_limits dl JOIN concurrency_limits n ON n.id = dl.limit_id
             WHERE dl.deployment_id = d.id ORDER BY n.name COLLATE "C")
FROM deployments d WHERE d.id = $1::uuid

-- Where attempts of a deployment are held or may be granted, in one order.
-- name: pools_of_deployment
SELECT pool_id FROM (
  SELECT pool_id FROM deployments WHERE id = $1::uuid UNION SELECT $2::uuid
  UNION SELECT pool_id FROM held_attempts WHERE deployment_id = $1::uuid) AS pools
ORDER BY pool_id

-- name: set_deployment_limits
WITH gone AS (
  DELETE FROM deployment_limits WHERE deployment_id = $1::uuid AND NOT limit_id = ANY ($2::uuid[])
), come AS (
  INSERT INTO deployment_limits (deployment_id, limit_id) SELECT $1::uuid, id FROM unnest($2::uuid[]) AS id
  ON CONFLICT DO NOTHING
)
UPDATE deployments SET gated = $3::boolean WHERE id = $1::uuid
