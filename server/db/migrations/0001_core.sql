-- Who and where -----------------------------------------------------------------------------------------------------

CREATE FUNCTION micros(timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (extract(epoch FROM $1) * 1000000)::bigint;
CREATE FUNCTION from_micros(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN timestamptz 'epoch' + $1 * interval '1 microsecond';

CREATE TABLE teams (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_.@-]{0,62}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO teams (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default');
INSERT INTO users (id, name) VALUES ('00000000-0000-7000-8000-000000000002', 'admin');

CREATE TABLE work_pools (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  type text NOT NULL CHECK (type <> ''),
  description text NOT NULL DEFAULT '',
  base_job_template text NOT NULL CHECK (json_typeof(base_job_template::json) = 'object'),
  concurrency_limit integer CHECK (concurrency_limit >= 0),
  paused boolean NOT NULL DEFAULT false,
  lease_ttl_ms integer CHECK (lease_ttl_ms BETWEEN 2000 AND 600000),
  start_deadline_ms integer CHECK (start_deadline_ms BETWEEN 1000 AND 86400000),
  cancel_grace_ms integer CHECK (cancel_grace_ms BETWEEN 0 AND 3600000),
  crash_after_ms integer CHECK (crash_after_ms BETWEEN 2000 AND 86400000),
  revision bigint NOT NULL DEFAULT 1,
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK (crash_after_ms IS NULL OR lease_ttl_ms IS NULL OR crash_after_ms >= lease_ttl_ms)
);
CREATE UNIQUE INDEX work_pools_name ON work_pools (name) WHERE deleted_at IS NULL;

CREATE TABLE work_queues (
  id uuid PRIMARY KEY,
  pool_id uuid NOT NULL REFERENCES work_pools,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  description text NOT NULL DEFAULT '',
  priority integer NOT NULL CHECK (priority >= 1),
  concurrency_limit integer CHECK (concurrency_limit >= 0),
  paused boolean NOT NULL DEFAULT false,
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE UNIQUE INDEX work_queues_name ON work_queues (pool_id, name) WHERE deleted_at IS NULL;

-- Credentials: only the SHA-256 of a secret is kept -----------------------------------------------------------------

CREATE TABLE credentials (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('user', 'worker', 'join')),
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  description text NOT NULL DEFAULT '',
  role text CHECK (role IN ('viewer', 'runner', 'deployer', 'operator', 'admin')),
  pool_id uuid REFERENCES work_pools,
  user_id uuid NOT NULL REFERENCES users,
  team_id uuid NOT NULL REFERENCES teams,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  CHECK ((kind = 'user') = (role IS NOT NULL)),
  CHECK ((kind = 'user') = (pool_id IS NULL)),
  CHECK (kind <> 'join' OR expires_at IS NOT NULL)
);

-- Flows and deployments ---------------------------------------------------------------------------------------------

CREATE TABLE flows (
  id uuid PRIMARY KEY,
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (team_id, name)
);

CREATE TABLE deployments (
  id uuid PRIMARY KEY,
  flow_id uuid NOT NULL REFERENCES flows,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  pool_id uuid NOT NULL REFERENCES work_pools,
  queue_id uuid NOT NULL REFERENCES work_queues,
  command text[] NOT NULL CHECK (cardinality(command) > 0),
  parameters text NOT NULL CHECK (json_typeof(parameters::json) = 'object'),
  job_variables text NOT NULL CHECK (json_typeof(job_variables::json) = 'object'),
  description text NOT NULL DEFAULT '',
  version text NOT NULL DEFAULT '',
  tags text[] NOT NULL DEFAULT '{}',
  paused boolean NOT NULL DEFAULT false,
  crash_retries integer NOT NULL DEFAULT 0 CHECK (crash_retries BETWEEN 0 AND 100),
  -- Runs quarantined in a row; at three the deployment itself is.
  launch_failures integer NOT NULL DEFAULT 0 CHECK (launch_failures >= 0),
  quarantine_reason text,
  revision bigint NOT NULL DEFAULT 1,
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE UNIQUE INDEX deployments_name ON deployments (flow_id, name) WHERE deleted_at IS NULL;
CREATE INDEX deployments_pool ON deployments (pool_id) WHERE deleted_at IS NULL;

-- Workers -----------------------------------------------------------------------------------------------------------

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  pool_id uuid NOT NULL REFERENCES work_pools,
  instance_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  type text NOT NULL,
  queues text[] NOT NULL DEFAULT '{}',
  slots integer NOT NULL CHECK (slots >= 1),
  version text NOT NULL DEFAULT '',
  labels jsonb NOT NULL DEFAULT '{}',
  draining boolean NOT NULL DEFAULT false,
  credential_id uuid NOT NULL REFERENCES credentials,
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Set when the lease ended.
  last_seen_at timestamptz,
  UNIQUE (pool_id, instance_id)
);

-- One narrow row per live worker instance, renewed by its beat. No index on what the beat changes, so every renewal is
-- a heap-only update. A missing row means that the lease is over for good.
CREATE TABLE worker_leases (
  worker_id uuid PRIMARY KEY,
  ttl_ms integer NOT NULL,
  seen_at timestamptz NOT NULL,
  deadline timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Runs: what was asked for, and how it ended ------------------------------------------------------------------------
-- A run's row is written twice: at submission and at its end. In between its state is where it stands: a row of
-- queued_runs (SCHEDULED) or a row of held_attempts (PENDING, RUNNING, CANCELLING).

CREATE TABLE flow_runs (
  id uuid NOT NULL,
  team_id uuid NOT NULL,
  creator_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  queue_id uuid NOT NULL,
  display_name text NOT NULL,
  parameters text NOT NULL,
  job_variables text NOT NULL,
  tags text[] NOT NULL DEFAULT '{}',
  due_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text CHECK (state IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')),
  state_reason text,
  state_message text,
  exit_code integer,
  attempts integer,
  started_at timestamptz,
  ended_at timestamptz,
  -- Lines in the run's log.
  log_end bigint,
  PRIMARY KEY (id),
  CHECK ((state IS NULL) = (ended_at IS NULL)),
  CHECK ((state IS NULL) = (attempts IS NULL)),
  CHECK ((state IS NULL) = (log_end IS NULL))
) PARTITION BY RANGE (id);

CREATE TABLE attempts (
  run_id uuid NOT NULL,
  number integer NOT NULL CHECK (number >= 1),
  epoch bigint NOT NULL,
  worker_id uuid NOT NULL,
  infrastructure_name text,
  infrastructure_id text,
  granted_at timestamptz NOT NULL,
  launched_at timestamptz,
  started_at timestamptz,
  cancel_requested_at timestamptz,
  ended_at timestamptz NOT NULL,
  -- LOST: closed by the protocol; the run went back to its queue or ended as quarantined.
  outcome text NOT NULL CHECK (outcome IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'LOST')),
  reason text NOT NULL DEFAULT '',
  message text NOT NULL DEFAULT '',
  exit_code integer,
  cpu_user_us bigint,
  cpu_system_us bigint,
  max_rss_bytes bigint,
  PRIMARY KEY (run_id, number),
  -- Nothing completes or fails by itself without having begun.
  CHECK (outcome NOT IN ('COMPLETED') OR started_at IS NOT NULL)
) PARTITION BY RANGE (run_id);

CREATE TABLE run_logs (
  run_id uuid NOT NULL,
  first_offset bigint NOT NULL CHECK (first_offset >= 0),
  attempt integer NOT NULL,
  line_count integer NOT NULL CHECK (line_count > 0),
  -- forebay.v1.AttemptLogs with the entries only.
  body bytea NOT NULL,
  PRIMARY KEY (run_id, first_offset)
) PARTITION BY RANGE (run_id);

-- The hot tables: small, unpartitioned, empty when work is done -----------------------------------------------------

CREATE TABLE queued_runs (
  run_id uuid PRIMARY KEY,
  pool_id uuid NOT NULL,
  queue_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  -- The number that the next attempt will have, and the last epoch given out.
  attempt integer NOT NULL CHECK (attempt >= 1),
  epoch bigint NOT NULL CHECK (epoch >= 0),
  protocol_retries smallint NOT NULL DEFAULT 0,
  crash_retries smallint NOT NULL DEFAULT 0,
  log_offset bigint NOT NULL DEFAULT 0,
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Why it is back in the queue; empty for a fresh run.
  reason text NOT NULL DEFAULT '',
  message text NOT NULL DEFAULT '',
  -- Its deployment is paused or quarantined; kept out of the order index.
  blocked boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
CREATE INDEX queued_runs_order ON queued_runs (queue_id, due_at, run_id) WHERE NOT blocked;
CREATE INDEX queued_runs_blocked ON queued_runs (deployment_id) WHERE blocked;

CREATE TABLE held_attempts (
  run_id uuid PRIMARY KEY,
  attempt integer NOT NULL CHECK (attempt >= 1),
  epoch bigint NOT NULL CHECK (epoch >= 1),
  pool_id uuid NOT NULL,
  queue_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  worker_id uuid NOT NULL,
  -- 0 granted, 1 launching, 2 launched, 3 started (the gate is passed).
  phase smallint NOT NULL DEFAULT 0 CHECK (phase BETWEEN 0 AND 3),
  poll_request_id uuid,
  ticket_hash bytea NOT NULL CHECK (octet_length(ticket_hash) = 32),
  run_token_hash bytea CHECK (octet_length(run_token_hash) = 32),
  infrastructure_name text,
  infrastructure_id text,
  granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  launched_at timestamptz,
  started_at timestamptz,
  start_deadline timestamptz NOT NULL,
  -- Last heartbeat of the run itself.
  run_seen_at timestamptz,
  cancel_requested_at timestamptz,
  -- When its worker's lease was found over; cleared by adoption.
  orphaned_at timestamptz,
  protocol_retries smallint NOT NULL DEFAULT 0,
  crash_retries smallint NOT NULL DEFAULT 0,
  log_offset bigint NOT NULL DEFAULT 0,
  worker_log_sequence bigint NOT NULL DEFAULT 0,
  run_log_sequence bigint NOT NULL DEFAULT 0,
  CHECK ((phase = 3) = (started_at IS NOT NULL)),
  CHECK (run_token_hash IS NULL OR phase = 3)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
CREATE INDEX held_attempts_worker ON held_attempts (worker_id);

-- Slots in use, only for what has a limit; changed in the transaction that grants or releases.
CREATE TABLE slot_counters (
  kind text NOT NULL CHECK (kind IN ('pool', 'queue')),
  id uuid NOT NULL,
  in_use integer NOT NULL CHECK (in_use >= 0),
  PRIMARY KEY (kind, id)
) WITH (fillfactor = 50);

CREATE TABLE idempotency_keys (
  team_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  run_id uuid NOT NULL,
  payload_hash bytea NOT NULL CHECK (octet_length(payload_hash) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (team_id, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- Duties run on one server at a time; a write of a duty carries its fence.
CREATE TABLE duty_leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  fence bigint NOT NULL,
  deadline timestamptz NOT NULL
);

-- A run id's first 48 bits are milliseconds since 1970: the smallest id of a moment is the bound of a partition.
CREATE FUNCTION first_run_id(timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (lpad(to_hex((extract(epoch FROM $1) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Makes the weekly partition that holds `moment` for each table of history. Safe to repeat.
CREATE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz := date_trunc('week', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  parent text;
  child text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['flow_runs', 'attempts', 'run_logs'] LOOP
    child := parent || '_' || to_char(start AT TIME ZONE 'UTC', 'IYYY"w"IW');
    IF to_regclass(child) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent,
                     first_run_id(start), first_run_id(start + interval '7 days'));
      IF parent = 'flow_runs' THEN
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 70)', child);
      END IF;
    END IF;
  END LOOP;
END
$$;
SELECT ensure_partition(now() + n * interval '7 days') FROM generate_series(-1, 4) AS n;
