-- Flows whose program passes the start gate and reports for itself ---------------------------------------------------

ALTER TABLE deployments
  DROP CONSTRAINT deployments_command_check,
  ADD COLUMN entrypoint text NOT NULL DEFAULT '' CHECK (octet_length(entrypoint) <= 1024),
  ADD COLUMN pull_steps text NOT NULL DEFAULT '[]',
  -- Empty: parameters are not checked.
  ADD COLUMN parameter_schema text NOT NULL DEFAULT '',
  ADD CHECK (cardinality(command) > 0 OR entrypoint <> ''),
  ADD CHECK (pull_steps = '[]' OR entrypoint <> '');

-- What the run said of its own end. It stands, and counts once the infrastructure has ended.
ALTER TABLE held_attempts
  ADD COLUMN said text CHECK (said IN ('COMPLETED', 'FAILED')),
  ADD COLUMN said_message text NOT NULL DEFAULT '',
  ADD COLUMN said_at timestamptz,
  ADD CHECK ((said IS NULL) = (said_at IS NULL)),
  ADD CHECK (said IS NULL OR run_token_hash IS NOT NULL);
