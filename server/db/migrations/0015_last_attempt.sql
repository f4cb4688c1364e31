-- The attempt that ends a run stands in the run's own row --------------------------------------------------------------
-- The end writes that row anyway (ADR 27). Runs that ended before keep theirs among the earlier attempts; their new columns
-- are empty, so the rules need not be held against them (NOT VALID), which would read all history.

ALTER TABLE flow_runs
  ADD COLUMN epoch bigint,
  ADD COLUMN worker_id uuid,
  ADD COLUMN infrastructure_name text,
  ADD COLUMN infrastructure_id text,
  ADD COLUMN granted_at timestamptz,
  ADD COLUMN launched_at timestamptz,
  ADD COLUMN cancel_requested_at timestamptz,
  ADD COLUMN cpu_user_us bigint,
  ADD COLUMN cpu_system_us bigint,
  ADD COLUMN max_rss_bytes bigint,
  ADD COLUMN cpu_us bigint,
  ADD COLUMN cpu_reserved_us bigint,
  ADD COLUMN memory_reserved_byte_s bigint,
  ADD CONSTRAINT flow_runs_last_attempt
    CHECK (granted_at IS NULL
           OR (epoch IS NOT NULL AND worker_id IS NOT NULL AND attempts >= 1
               AND (state <> 'COMPLETED' OR started_at IS NOT NULL))) NOT VALID,
  ADD CONSTRAINT flow_runs_usage
    CHECK (cpu_us >= 0 AND cpu_reserved_us >= 0 AND memory_reserved_byte_s >= 0) NOT VALID;

ALTER TABLE attempts RENAME TO earlier_attempts;
ALTER INDEX attempts_pkey RENAME TO earlier_attempts_pkey;
DO $$
DECLARE
  child text;
BEGIN
  FOR child IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'earlier_attempts'::regclass LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', child, 'earlier_' || child);
    EXECUTE format('ALTER INDEX %I RENAME TO %I', child || '_pkey', 'earlier_' || child || '_pkey');
  END LOOP;
END
$$;

-- All that ended.
CREATE VIEW attempts AS
SELECT run_id, number, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at, launched_at, started_at,
       cancel_requested_at, ended_at, outcome, reason, message, exit_code, cpu_user_us, cpu_system_us, max_rss_bytes,
       cpu_us, cpu_reserved_us, memory_reserved_byte_s
FROM earlier_attempts
UNION ALL
SELECT id, attempts, epoch, worker_id, infrastructure_name, infrastructure_id, granted_at, launched_at, started_at,
       cancel_requested_at, ended_at, state, state_reason, state_message, exit_code, cpu_user_us, cpu_system_us,
       max_rss_bytes, cpu_us, cpu_reserved_us, memory_reserved_byte_s
FROM flow_runs WHERE granted_at IS NOT NULL;

CREATE OR REPLACE FUNCTION drop_week_of_runs(week text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['flow_runs', 'earlier_attempts', 'run_logs'] LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', parent || '_' || week);
  END LOOP;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;

-- Room for the second version of each row on its own page -------------------------------------------------------------
-- A page's runs are ended by the same few transactions, so nothing of their first versions is free by then.

CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz := date_trunc('week', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  week text := to_char(start AT TIME ZONE 'UTC', 'IYYY"w"IW');
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['flow_runs', 'earlier_attempts', 'run_logs'] LOOP
    PERFORM add_partition(parent, parent || '_' || week, first_run_id(start)::text,
                          first_run_id(start + interval '7 days')::text);
  END LOOP;
  EXECUTE format('ALTER TABLE %I SET (fillfactor = 45)', 'flow_runs_' || week);
END
$$;
ALTER TABLE held_attempts SET (fillfactor = 45);
