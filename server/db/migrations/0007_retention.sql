-- How long history is kept ---------------------------------------------------------------------------------------------

-- Null: as long as the server says. A day at least, so that no idempotency key outlives its run.
ALTER TABLE work_pools ADD COLUMN retention_ms bigint CHECK (retention_ms BETWEEN 86400000 AND 315360000000);

-- The weeks of which there are partitions, by the suffix of their names.
CREATE VIEW history_weeks AS
SELECT of_runs, week, to_date(week, 'IYYY"w"IW')::timestamp AT TIME ZONE 'UTC' AS begins,
       (to_date(week, 'IYYY"w"IW') + 7)::timestamp AT TIME ZONE 'UTC' AS ends
FROM (SELECT DISTINCT i.inhparent <> 'run_events'::regclass AS of_runs, substring(c.relname FROM '\d{4}w\d\d$') AS week
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent IN ('flow_runs'::regclass, 'attempts'::regclass, 'run_logs'::regclass, 'run_events'::regclass)
     ) AS names;

-- Drops the partitions of a week of runs. False when somebody uses the tables, so that waiting would hold up everybody
-- behind us.
CREATE FUNCTION drop_week_of_runs(week text) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['flow_runs', 'attempts', 'run_logs'] LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', parent || '_' || week);
  END LOOP;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;

-- The same for a week of events; remembers up to where they are gone.
CREATE FUNCTION drop_week_of_events(week text) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
  highest xid8;
BEGIN
  EXECUTE format('SELECT max(xid) FROM %I', 'run_events_' || week) INTO highest;
  UPDATE event_floor SET dropped_to = greatest(dropped_to, highest) WHERE highest IS NOT NULL;
  EXECUTE format('DROP TABLE %I', 'run_events_' || week);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;
