-- What happened to runs, in the order in which it became visible -------------------------------------------------------
-- Every statement that moves a run writes its event itself, in the same transaction. `xid` orders transactions: whoever
-- reads only below the oldest one still under way (pg_snapshot_xmin) misses none, and (xid, seq) is a place to go on from.

CREATE SEQUENCE run_event_seq CACHE 64;

CREATE TABLE run_events (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint NOT NULL DEFAULT nextval('run_event_seq'),
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- As the run's own record has it.
  at timestamptz NOT NULL,
  run_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  -- The attempt it belongs to; 0 before the first.
  attempt integer NOT NULL CHECK (attempt >= 0),
  state text NOT NULL CHECK (state IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED',
                                       'CANCELLED', 'CRASHED', 'DELETED')),
  reason text NOT NULL DEFAULT '',
  message text NOT NULL DEFAULT ''
) PARTITION BY RANGE (recorded_at);
CREATE INDEX run_events_order ON run_events (xid, seq);

-- Events of transactions below it were dropped: they were old, or of another database.
CREATE TABLE event_floor (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  dropped_to xid8 NOT NULL
);
INSERT INTO event_floor (dropped_to) VALUES ('0');

-- Adds a partition without a lock that readers or writers of the parent would wait for.
CREATE FUNCTION add_partition(parent text, child text, lower text, upper text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('add_partition'));
  IF to_regclass(child) IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
  END IF;
END
$$;

-- As before, by that way.
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz := date_trunc('week', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  week text := to_char(start AT TIME ZONE 'UTC', 'IYYY"w"IW');
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['flow_runs', 'attempts', 'run_logs'] LOOP
    PERFORM add_partition(parent, parent || '_' || week, first_run_id(start)::text,
                          first_run_id(start + interval '7 days')::text);
  END LOOP;
  EXECUTE format('ALTER TABLE %I SET (fillfactor = 70)', 'flow_runs_' || week);
END
$$;

-- Makes the weekly partition of run_events that holds `moment`. Safe to repeat.
CREATE FUNCTION ensure_event_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz := date_trunc('week', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
BEGIN
  PERFORM add_partition('run_events', 'run_events_' || to_char(start AT TIME ZONE 'UTC', 'IYYY"w"IW'), start::text,
                        (start + interval '7 days')::text);
END
$$;
SELECT ensure_event_partition(now() + n * interval '7 days') FROM generate_series(-1, 4) AS n;
