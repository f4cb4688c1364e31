-- As many runs as the setting test.runs says, of the deployments that exist, in the last week and in this one: six of ten have
-- ended, one of them at its second attempt, three wait, one is held. What `made` says of a run goes into the tables that would have it.

TRUNCATE flow_runs, earlier_attempts, run_logs, run_events, queued_runs, held_attempts, idempotency_keys;
DROP TABLE IF EXISTS made;
CREATE TEMP TABLE made AS
WITH targets AS (
  SELECT d.*, row_number() OVER (ORDER BY d.id) - 1 AS place, count(*) OVER () AS targets FROM deployments d
), holders AS (
  SELECT array_agg(id ORDER BY id) AS ids FROM workers
), weeks AS (
  SELECT date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '7 days' AS first
), numbers AS (
  SELECT n, n % 10 AS kind, first + interval '13 days 23 hours' * n / runs AS at, md5(n::text) AS noise
  FROM weeks CROSS JOIN current_setting('test.runs') AS setting (text) CROSS JOIN LATERAL (SELECT text::integer AS runs) AS most
  CROSS JOIN LATERAL generate_series(0, runs - 1) AS n
)
SELECT n.*, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(noise, 1, 3) || 'a'
             || substr(noise, 4, 15))::uuid AS id,
       t.id AS deployment_id, t.pool_id, t.queue_id, t.team_id, t.creator_id, t.gated,
       holders.ids[1 + n / 10 % cardinality(holders.ids)] AS worker_id
FROM numbers n CROSS JOIN holders JOIN targets t ON t.place = n / 10 % t.targets;

INSERT INTO flow_runs (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters, job_variables, due_at,
                       created_at, state, state_reason, state_message, attempts, started_at, ended_at, log_end, epoch,
                       worker_id, granted_at)
SELECT id, team_id, creator_id, deployment_id, pool_id, queue_id, 'calm-otter', '{}', '{}', at, at,
       CASE WHEN kind < 6 THEN 'COMPLETED' END, CASE WHEN kind < 6 THEN '' END, CASE WHEN kind < 6 THEN '' END,
       CASE WHEN kind < 5 THEN 1 WHEN kind = 5 THEN 2 END, CASE WHEN kind < 6 THEN at END, CASE WHEN kind < 6 THEN at END,
       CASE WHEN kind < 6 THEN 10 END, CASE WHEN kind < 6 THEN 1 END, CASE WHEN kind < 6 THEN worker_id END,
       CASE WHEN kind < 6 THEN at END
FROM made;

INSERT INTO earlier_attempts (run_id, number, epoch, worker_id, granted_at, started_at, ended_at, outcome)
SELECT id, 1, 0, worker_id, at, at, at, 'FAILED' FROM made WHERE kind = 5;

INSERT INTO run_logs (run_id, first_offset, attempt, line_count, body)
SELECT id, 5 * chunk, 1, 5, '\x00' FROM made CROSS JOIN generate_series(0, 1) AS chunk WHERE kind < 2 OR kind = 9;

INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, attempt, epoch, gated, blocked)
SELECT id, pool_id, queue_id, deployment_id, CASE kind WHEN 8 THEN now() + n * interval '1 second' ELSE at END, 1, 0, gated, gated
FROM made WHERE kind BETWEEN 6 AND 8;

INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, phase, poll_request_id,
                           ticket_hash, run_token_hash, granted_at, started_at, start_deadline)
SELECT id, 1, 1, pool_id, queue_id, deployment_id, worker_id, CASE n / 10 % 2 WHEN 0 THEN 3 ELSE 0 END, id,
       sha256(noise::bytea), CASE n / 10 % 2 WHEN 0 THEN sha256(noise::bytea) END, at, CASE n / 10 % 2 WHEN 0 THEN at END,
       now() + interval '1 minute'
FROM made WHERE kind = 9;

-- As many transactions as a server would have made of them.
INSERT INTO run_events (xid, recorded_at, at, run_id, pool_id, deployment_id, attempt, state, reason, message)
SELECT (1 + n / 50)::text::xid8, min(at), array_agg(at), array_agg(id), array_agg(pool_id), array_agg(deployment_id),
       array_agg(0), array_agg('SCHEDULED'::text), array_agg(''::text), array_agg(''::text)
FROM made GROUP BY n / 50;

INSERT INTO idempotency_keys (team_id, key, run_id, payload_hash, expires_at)
SELECT team_id, noise, id, sha256(noise::bytea), now() + interval '1 day' FROM made WHERE kind = 6;

UPDATE slot_counters c SET in_use = (SELECT count(*) FROM held_attempts h WHERE h.deployment_id = c.id) WHERE kind = 'deployment';
