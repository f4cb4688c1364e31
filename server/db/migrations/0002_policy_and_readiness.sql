-- What may be launched in the pool, as JSON; empty: the built-in rules of its type alone.
ALTER TABLE work_pools ADD COLUMN policy text NOT NULL DEFAULT ''
  CHECK (policy = '' OR json_typeof(policy::json) = 'object');

-- Why the worker cannot launch anything now, by its own words; empty: it can.
ALTER TABLE worker_leases ADD COLUMN not_ready_reason text NOT NULL DEFAULT '' CHECK (length(not_ready_reason) <= 1000);

-- What holds for a pool that does not say: where an image may have to be pulled, a start takes its time.
CREATE FUNCTION default_start_deadline_ms(pool_type text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE pool_type WHEN 'docker' THEN 600000 ELSE 30000 END;
