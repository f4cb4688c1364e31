-- The hot tables are vacuumed without pauses ----------------------------------------------------------------------------
-- They are small, and what is dead in them stands before what is next in their order.

ALTER TABLE queued_runs SET (autovacuum_vacuum_cost_delay = 0);
ALTER TABLE held_attempts SET (autovacuum_vacuum_cost_delay = 0);
