-- name: lock_log_ends
SELECT run_id, attempt, epoch, worker_id, log_offset, worker_log_sequence, run_log_sequence, run_token_hash,
       cancel_requested_at IS NOT NULL, stop_grace_ms
FROM held_attempts WHERE run_id = ANY ($1::uuid[]) ORDER BY run_id FOR UPDATE

-- name: append_logs
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::bytea[])
       AS t (run_id, first_offset, attempt, line_count, body)
)
INSERT INTO run_logs (run_id, first_offset, attempt, line_count, body)
SELECT run_id, first_offset, attempt, line_count, body FROM input

-- name: advance_log_ends
UPDATE held_attempts h
SET log_offset = t.log_offset, worker_log_sequence = t.worker_sequence, run_log_sequence = t.run_sequence
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS t (run_id, log_offset, worker_sequence, run_sequence)
{{place_of_attempt}}

-- The chunks that hold lines from the offset on; the first may begin before it.
-- name: read_logs
SELECT first_offset, attempt, line_count, body FROM run_logs
WHERE run_id = $1::uuid
  AND first_offset >= coalesce((SELECT max(first_offset) FROM run_logs WHERE run_id = $1::uuid AND first_offset <= $2::bigint), 0)
ORDER BY first_offset LIMIT $3::integer

-- name: log_end
SELECT f.state IS NOT NULL, coalesce(f.log_end, h.log_offset, w.log_offset, 0)
FROM flow_runs f
LEFT JOIN held_attempts h ON h.run_id = f.id
LEFT JOIN queued_runs w ON w.run_id = f.id
WHERE f.id = $1::uuid AND f.team_id = $2::uuid
