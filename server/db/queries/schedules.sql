-- name: insert_schedule
INSERT INTO schedules (id, deployment_id, slug, kind, expression, day_and, every_ms, anchor, time_zone, parameters,
                       job_variables, starts_at, ends_at, catch_up, catch_up_window_ms, team_id, creator_id, paused,
                       made_until, look_at)
VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::boolean, $7::bigint,
        coalesce(from_micros($8::bigint), clock_timestamp()), $9::text, $10::text, $11::text, from_micros($12::bigint),
        from_micros($13::bigint), $14::text, $15::bigint, $16::uuid, $17::uuid, $18::boolean,
        clock_timestamp(), clock_timestamp())

-- Of one deployment, or of all that the team has; in one deployment all or one slug.
-- name: list_schedules
SELECT s.id, t.name, f.name, d.name, s.slug, s.kind, s.expression, s.day_and, s.every_ms, micros(s.anchor), s.time_zone,
       s.parameters, s.job_variables, s.paused, micros(s.starts_at), micros(s.ends_at), s.catch_up, s.catch_up_window_ms,
       s.problem, micros(s.created_at), micros(s.updated_at), u.name, micros(statement_timestamp())
FROM schedules s
JOIN deployments d ON d.id = s.deployment_id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = s.team_id
JOIN users u ON u.id = s.creator_id
JOIN work_pools p ON p.id = d.pool_id
WHERE s.team_id = $1::uuid AND s.deleted_at IS NULL
  AND ($2::uuid IS NULL OR s.deployment_id = $2::uuid) AND ($3::text IS NULL OR s.slug = $3::text)
  AND ($4::text IS NULL OR p.name = $4::text)
  AND ($5::text IS NULL OR (f.name, d.name, s.slug) > ($5::text, $6::text, $7::text))
ORDER BY f.name, d.name, s.slug LIMIT $8::integer

-- What a change of a schedule begins with: nobody makes runs of it meanwhile.
-- name: lock_schedule
SELECT id FROM schedules WHERE deployment_id = $1::uuid AND slug = $2::text AND deleted_at IS NULL FOR UPDATE

-- name: lock_schedules_of_deployment
SELECT id, slug FROM schedules WHERE deployment_id = $1::uuid AND deleted_at IS NULL ORDER BY id FOR UPDATE

-- name: schedule_slugs
SELECT slug FROM schedules WHERE deployment_id = $1::uuid AND deleted_at IS NULL ORDER BY slug LIMIT 1000

-- name: replace_schedule
UPDATE schedules
SET kind = $2::text, expression = $3::text, day_and = $4::boolean, every_ms = $5::bigint,
    anchor = coalesce(from_micros($6::bigint), clock_timestamp()), time_zone = $7::text, parameters = $8::text,
    job_variables = $9::text, starts_at = from_micros($10::bigint), ends_at = from_micros($11::bigint),
    catch_up = $12::text, catch_up_window_ms = $13::bigint, updated_at = now()
WHERE id = $1::uuid

-- name: set_schedule_paused
UPDATE schedules SET paused = $2::boolean, updated_at = now() WHERE id = $1::uuid

-- name: delete_schedule
UPDATE schedules SET deleted_at = now() WHERE id = $1::uuid

-- Takes back the runs that are not due yet, without a trace, and lets the schedules begin anew from now.
-- name: take_back_runs
WITH gone AS (
  DELETE FROM queued_runs WHERE schedule_id = ANY ($1::uuid[]) AND due_at > clock_timestamp() AND epoch = 0 AND NOT paused
  RETURNING *
), fires AS (
  DELETE FROM schedule_fires f USING gone WHERE f.schedule_id = gone.schedule_id AND f.run_id = gone.run_id
), runs AS (
  DELETE FROM flow_runs f USING gone WHERE f.id = gone.run_id
), events AS (
  {{record_steps}} (
    SELECT clock_timestamp(), run_id, pool_id, deployment_id, 0, 'DELETED', 'SCHEDULE_CHANGED',
           'its schedule or its deployment has changed'
    FROM gone
  ) AS {{steps}}
)
UPDATE schedules SET made_until = clock_timestamp(), look_at = clock_timestamp(), problem = '' WHERE id = ANY ($1::uuid[])

-- Schedules that have to be looked at. The deployment's row is read after the schedule's lock is there.
-- name: due_schedules
SELECT s.id, s.deployment_id, s.kind, s.expression, s.day_and, s.every_ms, micros(s.anchor), s.time_zone, s.parameters,
       s.job_variables, micros(s.starts_at), micros(s.ends_at), s.catch_up, s.catch_up_window_ms, micros(s.made_until),
       s.team_id, s.creator_id, u.name, micros(clock_timestamp()), micros(s.updated_at)
FROM schedules s JOIN users u ON u.id = s.creator_id
WHERE s.look_at <= clock_timestamp() AND s.deleted_at IS NULL AND NOT s.paused
ORDER BY s.look_at LIMIT $1::integer
FOR UPDATE OF s SKIP LOCKED

-- name: deployments_of_schedules
SELECT d.id, d.revision, d.deleted_at IS NOT NULL, d.paused OR d.quarantine_reason IS NOT NULL, d.gated
FROM deployments d WHERE d.id = ANY ($1::uuid[])

-- Answers the fires that had no run yet.
-- name: insert_fires
INSERT INTO schedule_fires (schedule_id, fire_at, run_id)
SELECT schedule_id, from_micros(fire_us), run_id FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS t (schedule_id, fire_us, run_id)
ON CONFLICT DO NOTHING
RETURNING run_id

-- name: schedules_looked_at
UPDATE schedules s
SET made_until = greatest(s.made_until, from_micros(t.made_us)), look_at = from_micros(t.look_us), problem = t.problem
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS t (id, made_us, look_us, problem)
WHERE s.id = t.id

-- Waiting runs that came too late, by their schedules' catch_up. Of LAST the latest that is due is kept.
-- name: drop_missed_runs
WITH missed AS (
  SELECT w.run_id, s.catch_up, s.catch_up_window_ms FROM schedules s
  JOIN queued_runs w ON w.schedule_id = s.id AND w.epoch = 0 AND NOT w.paused
   AND w.due_at < clock_timestamp() - s.catch_up_window_ms * interval '1 millisecond'
  WHERE s.catch_up_window_ms IS NOT NULL
    AND (s.catch_up <> 'LAST'
         OR EXISTS (SELECT FROM queued_runs l WHERE l.schedule_id = s.id AND l.due_at > w.due_at
                                                AND l.due_at <= clock_timestamp()))
  LIMIT 1000
), gone AS (
  DELETE FROM queued_runs w USING missed WHERE w.run_id = missed.run_id AND w.epoch = 0
  RETURNING w.run_id, w.log_offset, missed.catch_up, missed.catch_up_window_ms
), ended AS (
  UPDATE flow_runs f
  SET state = 'CANCELLED', state_reason = CASE gone.catch_up WHEN 'LAST' THEN 'SUPERSEDED' ELSE 'MISSED' END,
      attempts = 0, ended_at = clock_timestamp(), log_end = gone.log_offset,
      state_message = CASE gone.catch_up WHEN 'LAST' THEN 'a later run of its schedule takes its place'
                                         ELSE 'it could not start within ' || gone.catch_up_window_ms / 1000 || ' s' END
  FROM gone WHERE f.id = gone.run_id
  RETURNING f.*
)
{{record_ends}}

-- Kept a while longer than anything could come back to them.
-- name: drop_old_fires
DELETE FROM schedule_fires WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM schedule_fires WHERE fire_at < clock_timestamp() - interval '30 days' LIMIT 5000))

-- Waiting runs of a pool that are due before a moment.
-- name: upcoming_runs
SELECT w.run_id, t.name, f.name, d.name, q.name, s.slug, micros(w.due_at),
       w.blocked AND NOT w.gated OR w.paused OR p.paused OR q.paused, s.id
FROM queued_runs w
JOIN deployments d ON d.id = w.deployment_id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_queues q ON q.id = w.queue_id
JOIN work_pools p ON p.id = w.pool_id
LEFT JOIN schedules s ON s.id = w.schedule_id
WHERE p.name = $1::text AND p.deleted_at IS NULL AND d.team_id = $2::uuid
  AND w.due_at < statement_timestamp() + $3::bigint * interval '1 millisecond'
ORDER BY w.due_at, w.run_id LIMIT $4::integer

-- name: schedules_of_pool
SELECT s.id, t.name, f.name, d.name, q.name, s.slug, s.kind, s.expression, s.day_and, s.every_ms, micros(s.anchor),
       s.time_zone, micros(s.starts_at), micros(s.ends_at), micros(s.made_until), micros(statement_timestamp()),
       micros(s.updated_at)
FROM schedules s
JOIN deployments d ON d.id = s.deployment_id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_queues q ON q.id = d.queue_id
JOIN work_pools p ON p.id = d.pool_id
WHERE p.name = $1::text AND p.deleted_at IS NULL AND d.team_id = $2::uuid AND d.deleted_at IS NULL
  AND s.deleted_at IS NULL AND NOT s.paused
ORDER BY s.id LIMIT 10000
