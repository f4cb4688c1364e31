-- name: ensure_flow
INSERT INTO flows (id, team_id, creator_id, name) VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text)
ON CONFLICT (team_id, name) DO UPDATE SET name = excluded.name
RETURNING id

-- name: apply_deployment
INSERT INTO deployments AS d (id, flow_id, name, pool_id, queue_id, command, parameters, job_variables, description,
                              version, tags, crash_retries, team_id, creator_id, concurrency_limit, collision, retries,
                              retry_delays_ms, retry_jitter, retry_on, timeout_ms, entrypoint, pull_steps,
                              parameter_schema)
VALUES ($1::uuid, $2::uuid, $3::text, $4::uuid, $5::uuid, $6::text[], $7::text, $8::text, $9::text, $10::text,
        $11::text[], $12::integer, $13::uuid, $14::uuid, $15::integer, $16::text, $17::integer, $18::bigint[],
        $19::double precision, $20::text[], $21::bigint, $22::text, $23::text, $24::text)
ON CONFLICT (flow_id, name) WHERE deleted_at IS NULL DO UPDATE
SET pool_id = excluded.pool_id, queue_id = excluded.queue_id, command = excluded.command,
    parameters = excluded.parameters, job_variables = excluded.job_variables, description = excluded.description,
    version = excluded.version, tags = excluded.tags, crash_retries = excluded.crash_retries,
    concurrency_limit = excluded.concurrency_limit, collision = excluded.collision, retries = excluded.retries,
    retry_delays_ms = excluded.retry_delays_ms, retry_jitter = excluded.retry_jitter, retry_on = excluded.retry_on,
    timeout_ms = excluded.timeout_ms, entrypoint = excluded.entrypoint, pull_steps = excluded.pull_steps,
    parameter_schema = excluded.parameter_schema,
    revision = d.revision + 1, updated_at = now()
RETURNING id, id = $1::uuid

-- name: list_deployments
SELECT d.id, t.name, f.name, d.name, p.name, q.name, d.command, d.parameters, d.job_variables, d.description, d.version,
       d.tags, d.paused, d.crash_retries, d.revision, micros(d.created_at), micros(d.updated_at), u.name,
       d.quarantine_reason, d.concurrency_limit, d.collision, d.retries, d.retry_delays_ms, d.retry_jitter, d.retry_on,
       d.timeout_ms,
       ARRAY(SELECT n.name FROM deployment_limits dl JOIN concurrency_limits n ON n.id = dl.limit_id
             WHERE dl.deployment_id = d.id ORDER BY n.name),
       coalesce(h.held, 0), d.entrypoint, d.pull_steps, d.parameter_schema
FROM deployments d
LEFT JOIN (SELECT deployment_id, count(*) AS held FROM held_attempts WHERE NOT alone GROUP BY deployment_id) AS h ON h.deployment_id = d.id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_pools p ON p.id = d.pool_id
JOIN work_queues q ON q.id = d.queue_id
JOIN users u ON u.id = d.creator_id
WHERE d.team_id = $1::uuid AND d.deleted_at IS NULL
  AND ($2::text IS NULL OR f.name = $2::text) AND ($3::text IS NULL OR d.name = $3::text)
  AND ($4::text IS NULL OR p.name = $4::text)
  AND ($5::text IS NULL OR (f.name, d.name) > ($5::text, $6::text))
ORDER BY f.name, d.name LIMIT $7::integer

-- name: deployment_of_flow
SELECT id FROM deployments WHERE flow_id = $1::uuid AND name = $2::text AND deleted_at IS NULL

-- name: deployment_names
SELECT f.name || '/' || d.name FROM deployments d JOIN flows f ON f.id = d.flow_id
WHERE d.team_id = $1::uuid AND d.deleted_at IS NULL ORDER BY 1 LIMIT 1000

-- name: find_deployment
SELECT d.id FROM deployments d JOIN flows f ON f.id = d.flow_id
WHERE d.team_id = $1::uuid AND d.deleted_at IS NULL AND f.name = $2::text AND d.name = $3::text

-- What submission and grants need of a deployment; kept in memory by (id, revision).
-- name: read_deployment_snapshot
SELECT d.id, d.revision, d.team_id, d.pool_id, d.queue_id, d.flow_id, t.name, f.name, d.name, d.command, d.parameters,
       d.job_variables, p.base_job_template, q.name, p.name, d.deleted_at IS NOT NULL, d.tags, p.type, p.policy,
       d.entrypoint, d.pull_steps, d.parameter_schema, d.version
FROM deployments d
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_pools p ON p.id = d.pool_id
JOIN work_queues q ON q.id = d.queue_id
WHERE d.id = ANY ($1::uuid[])

-- name: set_deployment_paused
UPDATE deployments
SET paused = $2::boolean, updated_at = now(),
    quarantine_reason = CASE WHEN $2::boolean THEN quarantine_reason END,
    launch_failures = CASE WHEN $2::boolean THEN launch_failures ELSE 0 END
WHERE id = $1::uuid
RETURNING pool_id

-- Those that schedules made for later go with their schedules.
-- name: queued_of_deployment
SELECT run_id FROM queued_runs
WHERE deployment_id = $1::uuid AND (schedule_id IS NULL OR due_at <= statement_timestamp())

-- name: held_of_deployment
SELECT count(*) FROM held_attempts WHERE deployment_id = $1::uuid

-- name: delete_deployment
UPDATE deployments SET deleted_at = now(), revision = revision + 1 WHERE id = $1::uuid

-- name: pool_and_queue
SELECT p.id, q.id, p.type, p.base_job_template FROM work_pools p
LEFT JOIN work_queues q ON q.pool_id = p.id AND q.name = $2::text AND q.deleted_at IS NULL
WHERE p.name = $1::text AND p.deleted_at IS NULL
