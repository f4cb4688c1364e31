-- When deployments run by themselves ----------------------------------------------------------------------------------

CREATE TABLE schedules (
  id uuid PRIMARY KEY,
  deployment_id uuid NOT NULL REFERENCES deployments,
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  kind text NOT NULL CHECK (kind IN ('cron', 'interval', 'rrule')),
  -- Cron expression or text of RFC 5545.
  expression text NOT NULL DEFAULT '' CHECK (length(expression) <= 4096),
  day_and boolean NOT NULL DEFAULT false,
  every_ms bigint CHECK (every_ms >= 1000),
  anchor timestamptz NOT NULL,
  time_zone text NOT NULL DEFAULT '',
  parameters text NOT NULL DEFAULT '{}' CHECK (json_typeof(parameters::json) = 'object'),
  job_variables text NOT NULL DEFAULT '{}' CHECK (json_typeof(job_variables::json) = 'object'),
  paused boolean NOT NULL DEFAULT false,
  starts_at timestamptz,
  ends_at timestamptz,
  catch_up text NOT NULL DEFAULT 'ALL' CHECK (catch_up IN ('ALL', 'LAST', 'SKIP')),
  -- What is overdue; without one nothing ever is.
  catch_up_window_ms bigint CHECK (catch_up_window_ms BETWEEN 1000 AND 31536000000),
  -- Fires up to here have their runs.
  made_until timestamptz NOT NULL,
  -- When it has to be looked at next; null: it never fires again.
  look_at timestamptz,
  problem text NOT NULL DEFAULT '',
  team_id uuid NOT NULL REFERENCES teams,
  creator_id uuid NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK ((kind = 'interval') = (every_ms IS NOT NULL)),
  CHECK ((kind = 'interval') = (expression = '')),
  CHECK (ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at),
  CHECK (catch_up = 'ALL' OR catch_up_window_ms IS NOT NULL)
);
CREATE UNIQUE INDEX schedules_slug ON schedules (deployment_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX schedules_look ON schedules (look_at) WHERE deleted_at IS NULL AND NOT paused;

-- One run per schedule and time, whatever the number of servers.
CREATE TABLE schedule_fires (
  schedule_id uuid NOT NULL REFERENCES schedules,
  fire_at timestamptz NOT NULL,
  run_id uuid NOT NULL,
  PRIMARY KEY (schedule_id, fire_at)
);

ALTER TABLE flow_runs ADD COLUMN schedule_id uuid;
ALTER TABLE queued_runs ADD COLUMN schedule_id uuid;
CREATE INDEX queued_runs_schedule ON queued_runs (schedule_id, due_at) WHERE schedule_id IS NOT NULL;
