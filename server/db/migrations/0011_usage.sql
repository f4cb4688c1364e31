-- Absent, as for the older figures: not known. cpu_us: only where user and system time are not told apart.
ALTER TABLE attempts
  ADD COLUMN cpu_us bigint CHECK (cpu_us >= 0),
  ADD COLUMN cpu_reserved_us bigint CHECK (cpu_reserved_us >= 0),
  ADD COLUMN memory_reserved_byte_s bigint CHECK (memory_reserved_byte_s >= 0);

-- No process has no memory, and none runs for no time: these were not measured.
UPDATE attempts
SET max_rss_bytes = NULL,
    cpu_user_us = CASE WHEN cpu_user_us + cpu_system_us > 0 THEN cpu_user_us END,
    cpu_system_us = CASE WHEN cpu_user_us + cpu_system_us > 0 THEN cpu_system_us END
WHERE max_rss_bytes = 0;
