-- One at a time makes what runs by hand are listed under.
-- name: own_by_hand
SELECT pg_advisory_xact_lock(hashtext('runs by hand'))

-- name: find_by_hand
SELECT d.id, d.pool_id, d.queue_id
FROM deployments d JOIN flows f ON f.id = d.flow_id
WHERE d.team_id = $1::uuid AND f.name = $2::text AND d.name = $3::text AND d.deleted_at IS NULL

-- It is submitted, granted and begun in the same moment.
-- name: begin_by_hand
WITH now AS (SELECT clock_timestamp() AS at), run AS (
  INSERT INTO flow_runs (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters,
                         job_variables, tags, due_at, created_at)
  SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7::text, $8::text, '{}', $9::text[], at, at FROM now
), held AS (
  INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, phase, ticket_hash,
                             run_token_hash, infrastructure_id, granted_at, launched_at, started_at, start_deadline,
                             run_seen_at, orphaned_at, alone)
  SELECT $1::uuid, 1, 1, $5::uuid, $6::uuid, $4::uuid, '00000000-0000-0000-0000-000000000000', 3, $10::bytea, $10::bytea,
         $11::text, at, at, at, at, at, at, true
  FROM now
)
{{record_steps}} (
  SELECT at, $1::uuid, $5::uuid, $4::uuid, attempt, state, '', ''
  FROM now CROSS JOIN (VALUES (0, 'SCHEDULED'), (1, 'PENDING'), (1, 'RUNNING')) AS steps (attempt, state)
) AS {{steps}}
