-- Runs that somebody starts by hand, in a process of their own ----------------------------------------------------------

-- No worker has it and no infrastructure's end is waited for: what its own program says is all there is to know. It begins
-- without having waited for a slot, and takes none.
ALTER TABLE held_attempts
  ADD COLUMN alone boolean NOT NULL DEFAULT false,
  ADD CHECK (NOT alone OR (phase = 3 AND orphaned_at IS NOT NULL));
