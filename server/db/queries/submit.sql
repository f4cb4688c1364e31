-- What a batch of submissions needs to know of its deployments, in the transaction that inserts the runs. `backlog`:
-- somebody of the same or a higher priority already waits, so nothing may be granted past it. $2, $3: low-water marks, from
-- which those queues are looked at (low_water_mark.h).
-- name: submit_targets
SELECT d.id, d.revision, d.pool_id, d.queue_id,
       (d.paused OR d.quarantine_reason IS NOT NULL) AS blocked,
       (p.paused OR q.paused) AS held_back,
       (p.concurrency_limit IS NOT NULL OR q.concurrency_limit IS NOT NULL OR d.gated) AS limited,
       EXISTS (SELECT FROM work_queues ahead LEFT JOIN unnest($2::uuid[], $3::bigint[]) AS m (id, from_us) ON m.id = ahead.id
               WHERE ahead.pool_id = d.pool_id AND ahead.deleted_at IS NULL AND ahead.priority <= q.priority AND NOT ahead.paused
                 AND EXISTS (SELECT FROM queued_runs r
                             WHERE r.queue_id = ahead.id AND NOT r.blocked
                               AND r.due_at >= coalesce(from_micros(m.from_us), '-infinity')
                               AND r.due_at <= statement_timestamp()))
       -- Beside the order there may be one that a slot has just come back to.
       OR EXISTS (SELECT FROM queued_runs g WHERE g.pool_id = d.pool_id AND g.gated AND NOT g.paused
                                              AND g.due_at <= statement_timestamp()) AS backlog,
       coalesce(p.start_deadline_ms, default_start_deadline_ms(p.type)) AS start_deadline_ms, d.gated
FROM deployments d
JOIN work_pools p ON p.id = d.pool_id
JOIN work_queues q ON q.id = d.queue_id
WHERE d.id = ANY ($1::uuid[]) AND d.deleted_at IS NULL

-- Keys that are free, or whose time is over, are taken; the others are not answered.
-- name: take_idempotency_keys
INSERT INTO idempotency_keys AS k (team_id, key, run_id, payload_hash, expires_at)
SELECT team_id, key, run_id, payload_hash, clock_timestamp() + interval '24 hours'
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[]) AS t (team_id, key, run_id, payload_hash)
ORDER BY team_id, key
ON CONFLICT (team_id, key) DO UPDATE
  SET run_id = excluded.run_id, payload_hash = excluded.payload_hash, expires_at = excluded.expires_at
  WHERE k.expires_at < clock_timestamp()
RETURNING run_id

-- name: read_idempotency_keys
SELECT k.team_id, k.key, k.run_id, k.payload_hash
FROM unnest($1::uuid[], $2::text[]) AS t (team_id, key)
CROSS JOIN LATERAL (SELECT * FROM idempotency_keys WHERE team_id = t.team_id AND key = t.key OFFSET 0) AS k

-- Runs with a worker whose lease lives are granted in the same breath; the others are queued. Answers what the
-- submitters are told: when each was made, is due, and was granted until when. No two of its parts are joined with each
-- other: no plan here hashes (session.sql), and a loop in a loop would cost the square of the batch.
-- name: insert_runs
WITH input AS MATERIALIZED (
  SELECT t.*, n.made_at, coalesce(from_micros(t.due_us), n.made_at) AS due_at,
         (t.worker_id IS NOT NULL AND l.deadline > clock_timestamp()) IS TRUE AS granted
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::bigint[], $12::boolean[], $13::uuid[], $14::uuid[], $15::bytea[],
              $16::integer[], $17::boolean[], $18::uuid[], $19::uuid[])
       AS t (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters, job_variables, tags,
             due_us, blocked, worker_id, request_id, ticket_hash, start_deadline_ms, gated, schedule_id, retry_of)
  CROSS JOIN (SELECT clock_timestamp() AS made_at) n
  LEFT JOIN worker_leases l ON l.worker_id = t.worker_id
), runs AS (
  INSERT INTO flow_runs (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters,
                         job_variables, tags, due_at, created_at, schedule_id, retry_of)
  SELECT id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters, job_variables,
         tags::text[], due_at, made_at, schedule_id, retry_of
  FROM input
), queued AS (
  INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, queued_at, attempt, epoch, blocked, gated,
                           schedule_id)
  SELECT id, pool_id, queue_id, deployment_id, due_at, made_at, 1, 0, blocked OR gated, gated, schedule_id
  FROM input WHERE NOT granted
), held AS (
  INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, poll_request_id,
                             ticket_hash, start_deadline)
  SELECT id, 1, 1, pool_id, queue_id, deployment_id, worker_id, request_id, ticket_hash,
         clock_timestamp() + start_deadline_ms * interval '1 millisecond'
  FROM input WHERE granted
  RETURNING run_id, pool_id, deployment_id, granted_at, start_deadline
), events AS (
  {{record_steps}} (
    SELECT at, run_id, pool_id, deployment_id, attempt, state, '', ''
    FROM (SELECT made_at AS at, id AS run_id, pool_id, deployment_id, 0 AS attempt, 'SCHEDULED' AS state FROM input
          UNION ALL SELECT granted_at, run_id, pool_id, deployment_id, 1, 'PENDING' FROM held) AS steps
    ORDER BY run_id, attempt
  ) AS {{steps}}
)
SELECT id, micros(made_at), micros(due_at), NULL, NULL FROM input WHERE NOT granted
UNION ALL
SELECT run_id, micros(n.made_at), micros(n.made_at), micros(granted_at), micros(start_deadline)
FROM (SELECT made_at FROM input LIMIT 1) AS n CROSS JOIN held

-- name: which_runs_exist
SELECT id FROM flow_runs WHERE id = ANY ($1::uuid[])
