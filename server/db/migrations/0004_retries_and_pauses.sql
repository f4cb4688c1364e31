-- When a run is tried again, how long it may take, and runs that are paused by themselves. ----------------------------

ALTER TABLE deployments
  ADD COLUMN retries integer NOT NULL DEFAULT 0 CHECK (retries BETWEEN 0 AND 100),
  ADD COLUMN retry_delays_ms bigint[] NOT NULL DEFAULT '{}'
    CHECK (cardinality(retry_delays_ms) <= 100 AND 0 <= ALL (retry_delays_ms) AND 604800000 >= ALL (retry_delays_ms)),
  ADD COLUMN retry_jitter double precision NOT NULL DEFAULT 0 CHECK (retry_jitter BETWEEN 0 AND 1),
  ADD COLUMN retry_on text[] NOT NULL DEFAULT '{FAILED,TIMED_OUT}'
    CHECK (retry_on <@ ARRAY['FAILED', 'CRASHED', 'TIMED_OUT', 'LAUNCH_FAILED']),
  ADD COLUMN timeout_ms bigint CHECK (timeout_ms BETWEEN 1000 AND 31536000000);

ALTER TABLE work_pools ADD COLUMN late_after_ms integer CHECK (late_after_ms BETWEEN 1000 AND 86400000);

ALTER TABLE queued_runs
  ADD COLUMN user_retries smallint NOT NULL DEFAULT 0,
  -- How often it was paused or resumed while it waited for this attempt.
  ADD COLUMN changes integer NOT NULL DEFAULT 0;

ALTER TABLE held_attempts
  ADD COLUMN user_retries smallint NOT NULL DEFAULT 0,
  -- Why the stop of cancel_requested_at is wanted; null there: a user cancelled.
  ADD COLUMN stop_reason text CHECK (stop_reason IN ('CANCEL_REQUESTED', 'TIMED_OUT', 'SUSPEND_REQUESTED')),
  ADD COLUMN stop_grace_ms integer CHECK (stop_grace_ms BETWEEN 0 AND 3600000),
  ADD CONSTRAINT held_attempts_stop CHECK (stop_reason IS NULL OR cancel_requested_at IS NOT NULL);

-- SUSPENDED: ended so that the run can go on later with a fresh attempt.
ALTER TABLE attempts
  DROP CONSTRAINT attempts_outcome_check,
  ADD CONSTRAINT attempts_outcome_check
    CHECK (outcome IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'LOST', 'SUSPENDED'));

-- The run that this one repeats.
ALTER TABLE flow_runs ADD COLUMN retry_of uuid;
