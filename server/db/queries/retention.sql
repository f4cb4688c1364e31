-- Weeks of runs that are over for longer than some pool wants them, oldest first, and which pools these are. $1: what
-- holds where a pool says nothing.
-- name: weeks_to_clear
SELECT week, micros(begins), micros(ends),
       (SELECT md5(string_agg(p.id::text, ',' ORDER BY p.id)) FROM work_pools p
        WHERE ends + coalesce(p.retention_ms, $1::bigint) * interval '1 millisecond' < clock_timestamp())
FROM history_weeks
WHERE of_runs AND ends + (SELECT least($1::bigint, min(retention_ms)) FROM work_pools) * interval '1 millisecond' < clock_timestamp()
ORDER BY ends

-- Of the week from $1 to $2 the next runs behind $3, at most $4, and whether each has to stay ($5: as above). The age of a
-- run that ended later than its week is counted from its end. A run that is over stays over, and none is made in a week
-- that is over.
-- part: next_runs_of_week
next_runs AS MATERIALIZED (
  SELECT f.id, f.state IS NULL
              OR greatest(f.ended_at, from_micros($2::bigint))
                 + coalesce(p.retention_ms, $5::bigint) * interval '1 millisecond' > clock_timestamp()
              AS stays
  FROM (SELECT id, state, ended_at, pool_id FROM flow_runs
        WHERE id >= first_run_id(from_micros($1::bigint)) AND id < first_run_id(from_micros($2::bigint)) AND id > $3::uuid
        ORDER BY id LIMIT $4::integer) AS f
  JOIN work_pools p ON p.id = f.pool_id
)

-- How many they are, the last, and whether one has to stay.
-- name: look_for_wanted_runs
WITH {{next_runs_of_week}}
SELECT count(*), max(id::text), coalesce(bool_or(stays), false) FROM next_runs

-- The same, and deletes those that need not stay.
-- name: delete_old_runs
WITH {{next_runs_of_week}}, runs AS (
  DELETE FROM flow_runs f USING next_runs n WHERE f.id = n.id AND NOT n.stays
), history AS (
  DELETE FROM earlier_attempts a USING next_runs n WHERE a.run_id = n.id AND NOT n.stays
), log AS (
  DELETE FROM run_logs l USING next_runs n WHERE l.run_id = n.id AND NOT n.stays
)
SELECT count(*), max(id::text), coalesce(bool_or(stays), false) FROM next_runs

-- name: drop_week_of_runs
SELECT drop_week_of_runs($1::text)

-- Of workers that are gone, and of which no history can speak any more: a run is made before it is taken.
-- name: delete_old_workers
DELETE FROM workers w USING work_pools p
WHERE p.id = w.pool_id
  AND w.last_seen_at + coalesce(p.retention_ms, $1::bigint) * interval '1 millisecond' + interval '8 days' < clock_timestamp()
  AND NOT EXISTS (SELECT FROM worker_leases l WHERE l.worker_id = w.id)
  AND NOT EXISTS (SELECT FROM held_attempts h WHERE h.worker_id = w.id)

-- name: event_weeks_to_drop
SELECT week FROM history_weeks
WHERE NOT of_runs AND ends + $1::bigint * interval '1 millisecond' < clock_timestamp() ORDER BY ends

-- name: drop_week_of_events
SELECT drop_week_of_events($1::text)
