-- What a statement tells of its runs is one row ------------------------------------------------------------------------
-- A row for each step cost a fifth of what a run costs the database. A step's place is (xid, seq + its position - 1):
-- numbers are given out in strides that are longer than any row.

-- Before the sequence is locked, as a server that writes locks them.
LOCK TABLE run_events IN ACCESS EXCLUSIVE MODE;

CREATE FUNCTION event_stride() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1048576;
ALTER SEQUENCE run_event_seq INCREMENT BY 1048576;

ALTER TABLE run_events
  DROP CONSTRAINT run_events_attempt_check,
  DROP CONSTRAINT run_events_state_check,
  ALTER COLUMN reason DROP DEFAULT,
  ALTER COLUMN message DROP DEFAULT;
ALTER TABLE run_events
  ALTER COLUMN at TYPE timestamptz[] USING ARRAY[at],
  ALTER COLUMN run_id TYPE uuid[] USING ARRAY[run_id],
  ALTER COLUMN pool_id TYPE uuid[] USING ARRAY[pool_id],
  ALTER COLUMN deployment_id TYPE uuid[] USING ARRAY[deployment_id],
  ALTER COLUMN attempt TYPE integer[] USING ARRAY[attempt],
  ALTER COLUMN state TYPE text[] USING ARRAY[state],
  ALTER COLUMN reason TYPE text[] USING ARRAY[reason],
  ALTER COLUMN message TYPE text[] USING ARRAY[message];
-- Ids and times do not compress, and to try costs time.
ALTER TABLE run_events
  ALTER COLUMN at SET STORAGE EXTERNAL,
  ALTER COLUMN run_id SET STORAGE EXTERNAL,
  ADD CONSTRAINT run_events_steps CHECK (
    cardinality(run_id) BETWEEN 1 AND event_stride()
    AND cardinality(run_id) = ALL (ARRAY[cardinality(at), cardinality(pool_id), cardinality(deployment_id), cardinality(attempt),
                                         cardinality(state), cardinality(reason), cardinality(message)])
    AND num_nulls(array_position(at, NULL), array_position(run_id, NULL), array_position(pool_id, NULL),
                  array_position(deployment_id, NULL), array_position(attempt, NULL)) = 5),
  ADD CONSTRAINT run_events_attempts CHECK (0 <= ALL (attempt)),
  ADD CONSTRAINT run_events_states CHECK (
    state <@ ARRAY['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED',
                   'DELETED']);
