-- Plans that were made for an empty table ------------------------------------------------------------------------------
-- PostgreSQL takes a table that it has looked at for as large as it was then. Autovacuum comes by once a minute; until then
-- statements look each row up in a table that they think has none.

-- Looks at the tables anew that were next to nothing and have at least ten times the pages now; answers which. Passes over
-- what somebody else is looking at.
CREATE FUNCTION analyze_outgrown_tables() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  outgrown regclass;
BEGIN
  FOR outgrown IN
    SELECT c.oid FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'flow_runs'::regclass)
      AND c.reltuples >= 0 AND c.relpages < 10
      AND pg_relation_size(c.oid) >= 10 * greatest(c.relpages, 1) * current_setting('block_size')::bigint
  LOOP
    EXECUTE format('ANALYZE (SKIP_LOCKED) %s', outgrown);
    RETURN NEXT outgrown::text;
  END LOOP;
END
$$;
