-- part: event_columns
run_events (at, run_id, pool_id, deployment_id, attempt, state, reason, message)

-- Of runs that a statement has just ended (`ended`, rows of flow_runs); answers which.
-- part: record_ends
, events AS (
  INSERT INTO {{event_columns}}
  SELECT ended_at, id, pool_id, deployment_id, attempts, state, state_reason, state_message FROM ended
)
SELECT id FROM ended

-- Below the first every transaction is over; whether anything stands above it, which can be read a moment later; up to
-- where events were dropped; what is above all there can be.
-- name: event_horizon
SELECT h.xid::text, EXISTS (SELECT FROM run_events e WHERE e.xid >= h.xid), (SELECT dropped_to::text FROM event_floor),
       pg_snapshot_xmax(pg_current_snapshot())::text
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid) AS h

-- $1 $2 after this place, $3 and below this transaction, $4 team; $5 pool, $6 deployment, $7 run, $8 states if not null.
-- name: read_events
SELECT e.xid::text, e.seq, micros(e.at), e.run_id, r.display_name, t.name, f.name, d.name, p.name, e.attempt, e.state, e.reason,
       e.message
FROM run_events e
JOIN deployments d ON d.id = e.deployment_id
JOIN flows f ON f.id = d.flow_id
JOIN teams t ON t.id = d.team_id
JOIN work_pools p ON p.id = e.pool_id
LEFT JOIN flow_runs r ON r.id = e.run_id
WHERE (e.xid, e.seq) > ($1::text::xid8, $2::bigint) AND e.xid < $3::text::xid8 AND d.team_id = $4::uuid
  AND ($5::uuid IS NULL OR e.pool_id = $5::uuid)
  AND ($6::uuid IS NULL OR e.deployment_id = $6::uuid)
  AND ($7::uuid IS NULL OR e.run_id = $7::uuid)
  AND ($8::text[] IS NULL OR e.state = ANY ($8::text[]))
ORDER BY e.xid, e.seq LIMIT $9::integer

-- name: ensure_event_partition
SELECT ensure_event_partition(from_micros($1::bigint))

-- Of a database that was restored from a dump: their transactions are of another cluster and order nothing here.
-- name: drop_foreign_events
DELETE FROM run_events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
