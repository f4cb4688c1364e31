-- What holds for a pool that does not say: where an image may have to be pulled, a start takes its time.
CREATE OR REPLACE FUNCTION default_start_deadline_ms(pool_type text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN pool_type IN ('docker', 'kubernetes') THEN 600000 ELSE 30000 END;
