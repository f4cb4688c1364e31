-- The steps that a statement made runs take, as one row: {{record_steps}} (SELECT …) AS {{steps}}.
-- part: record_steps
INSERT INTO run_events (at, run_id, pool_id, deployment_id, attempt, state, reason, message)
SELECT array_agg(at), array_agg(run_id), array_agg(pool_id), array_agg(deployment_id), array_agg(attempt),
       array_agg(state), array_agg(reason), array_agg(message)
FROM

-- part: steps
steps (at, run_id, pool_id, deployment_id, attempt, state, reason, message) HAVING count(*) > 0

-- Of runs that a statement has just ended (`ended`, rows of flow_runs); answers which.
-- part: record_ends
, events AS (
  {{record_steps}} (
    SELECT ended_at, id, pool_id, deployment_id, attempts, state, state_reason, state_message FROM ended
  ) AS {{steps}}
)
SELECT id FROM ended

-- Below the first every transaction is over; whether anything stands above it, which can be read a moment later; up to
-- where events were dropped; what is above all there can be.
-- name: event_horizon
SELECT h.xid::text, EXISTS (SELECT FROM run_events e WHERE e.xid >= h.xid), (SELECT dropped_to::text FROM event_floor),
       pg_snapshot_xmax(pg_current_snapshot())::text
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid) AS h

-- $1 $2 after this place, $3 and below this transaction, $4 team; $5 pool, $6 deployment, $7 run, $8 states if not null.
-- A row that begins at or before the place may hold steps behind it.
-- name: read_events
SELECT e.xid::text, e.seq + s.position - 1, micros(s.at), s.run_id, r.display_name, t.name, f.name, d.name, p.name, s.attempt,
       s.state, s.reason, s.message
FROM run_events e
CROSS JOIN LATERAL unnest(e.at, e.run_id, e.pool_id, e.deployment_id, e.attempt, e.state, e.reason, e.message)
  WITH ORDINALITY AS s (at, run_id, pool_id, deployment_id, attempt, state, reason, message, position)
JOIN deployments d ON d.id = s.deployment_id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_pools p ON p.id = s.pool_id
LEFT JOIN LATERAL (SELECT display_name FROM flow_runs WHERE id = s.run_id OFFSET 0) AS r ON true
WHERE (e.xid, e.seq) > ($1::text::xid8, $2::bigint - event_stride()) AND e.xid < $3::text::xid8
  AND (e.xid > $1::text::xid8 OR e.seq + s.position - 1 > $2::bigint) AND d.team_id = $4::uuid
  AND ($5::uuid IS NULL OR s.pool_id = $5::uuid)
  AND ($6::uuid IS NULL OR s.deployment_id = $6::uuid)
  AND ($7::uuid IS NULL OR s.run_id = $7::uuid)
  AND ($8::text[] IS NULL OR s.state = ANY ($8::text[]))
ORDER BY e.xid, e.seq, s.position LIMIT $9::integer

-- name: ensure_event_partition
SELECT ensure_event_partition(from_micros($1::bigint))

-- Of a database that was restored from a dump: their transactions are of another cluster and order nothing here.
-- name: drop_foreign_events
DELETE FROM run_events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
