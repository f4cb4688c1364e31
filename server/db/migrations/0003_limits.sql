-- Limits of deployments, and limits that a team's deployments share. --------------------------------------------------

CREATE TABLE concurrency_limits (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  description text NOT NULL DEFAULT '',
  slots integer NOT NULL CHECK (slots >= 0),
  -- Null: slots come back when attempts end. Else each comes back by itself, this many a second.
  decay_per_second double precision CHECK (decay_per_second > 0 AND decay_per_second <= 1000),
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX concurrency_limits_name ON concurrency_limits (team_id, name);

CREATE TABLE deployment_limits (
  deployment_id uuid NOT NULL REFERENCES deployments,
  limit_id uuid NOT NULL REFERENCES concurrency_limits,
  PRIMARY KEY (deployment_id, limit_id)
);
CREATE INDEX deployment_limits_limit ON deployment_limits (limit_id);

ALTER TABLE deployments
  ADD COLUMN concurrency_limit integer CHECK (concurrency_limit >= 0),
  ADD COLUMN collision text NOT NULL DEFAULT 'ENQUEUE' CHECK (collision IN ('ENQUEUE', 'CANCEL_NEW')),
  -- It has a limit of its own or shares one: its waiting runs stand beside the queue's own order (queued_runs.gated).
  ADD COLUMN gated boolean NOT NULL DEFAULT false;

-- `deployment` as `pool` and `queue`; `named` is a row of concurrency_limits. Slots that decay are counted in
-- `decaying` as of `decayed_at`, the others in in_use.
ALTER TABLE slot_counters
  DROP CONSTRAINT slot_counters_kind_check,
  ADD CONSTRAINT slot_counters_kind_check CHECK (kind IN ('pool', 'queue', 'deployment', 'named')),
  ADD COLUMN decaying double precision NOT NULL DEFAULT 0 CHECK (decaying >= 0),
  ADD COLUMN decayed_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- A gated run is blocked too, so that it stands in no order index but the one below: each deployment's next runs are
-- found without walking past those that cannot start.
ALTER TABLE queued_runs
  ADD COLUMN gated boolean NOT NULL DEFAULT false,
  -- By a user: the run itself, not what it belongs to.
  ADD COLUMN paused boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT queued_runs_out_of_order CHECK (blocked OR NOT (gated OR paused));
CREATE INDEX queued_runs_gated ON queued_runs (pool_id, deployment_id, queue_id, due_at, run_id) WHERE gated AND NOT paused;
CREATE INDEX queued_runs_gated_due ON queued_runs (pool_id, due_at) WHERE gated AND NOT paused;

-- Rows of concurrency_limits of which the attempt holds a slot until it ends.
ALTER TABLE held_attempts ADD COLUMN limits uuid[];

-- Slots of a limit that decays which have not come back yet.
CREATE FUNCTION decayed(limit_id uuid) RETURNS double precision LANGUAGE sql STABLE RETURN (
  SELECT greatest(0, c.decaying - n.decay_per_second * extract(epoch FROM clock_timestamp() - c.decayed_at))
  FROM slot_counters c JOIN concurrency_limits n ON n.id = c.id WHERE c.kind = 'named' AND c.id = limit_id);

-- Whole slots of a limit that nobody has.
CREATE FUNCTION slots_left(limit_id uuid) RETURNS integer LANGUAGE sql STABLE RETURN (
  SELECT floor(n.slots - CASE WHEN n.decay_per_second IS NULL THEN c.in_use ELSE decayed(n.id) END + 1e-9)::integer
  FROM concurrency_limits n JOIN slot_counters c ON c.kind = 'named' AND c.id = n.id WHERE n.id = limit_id);
