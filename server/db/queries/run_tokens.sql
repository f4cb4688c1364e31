-- name: run_heartbeat
UPDATE held_attempts SET run_seen_at = clock_timestamp()
WHERE run_id = $1::uuid AND run_token_hash = $2::bytea
RETURNING cancel_requested_at IS NOT NULL

-- name: read_started_run
SELECT f.parameters, d.id, d.revision, f.display_name, f.tags, micros(f.due_at)
FROM flow_runs f JOIN deployments d ON d.id = f.deployment_id WHERE f.id = $1::uuid
