-- Plans that were made for an emptied table ----------------------------------------------------------------------------
-- A vacuum that finds nobody alive and has to keep the table's pages leaves a table that PostgreSQL takes for empty however
-- much is in it next, until somebody analyzes it: 0014 looks at the size alone, which does not change.

-- Looks anew at tables that hold at least ten times of what PostgreSQL believes: in pages, of those that were next to
-- nothing, or in rows, of those that were all but emptied. Answers which. Passes over what somebody else is looking at.
CREATE OR REPLACE FUNCTION analyze_outgrown_tables() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  outgrown regclass;
BEGIN
  FOR outgrown IN
    SELECT c.oid FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'flow_runs'::regclass)
      AND c.reltuples >= 0
      AND CASE WHEN c.relpages < 10
               THEN pg_relation_size(c.oid) >= 10 * greatest(c.relpages, 1) * current_setting('block_size')::bigint
               ELSE c.reltuples < 100 AND pg_stat_get_live_tuples(c.oid) >= 10 * greatest(c.reltuples, 10) END
  LOOP
    EXECUTE format('ANALYZE (SKIP_LOCKED) %s', outgrown);
    RETURN NEXT outgrown::text;
  END LOOP;
END
$$;
