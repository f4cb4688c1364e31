-- Absent, as for the older figures: not known. cpu_us: only where user and system time are not told apart.
ALTER TABLE attempts
  ADD COLUMN cpu_us bigint CHECK (cpu_us >= 0),
  ADD COLUMN cpu_reserved_us bigint CHECK (cpu_reserved_us >= 0),
  ADD COLUMN memory_reserved_byte_s bigint CHECK (memory_reserved_byte_s >= 0);

-- No process has no memory: these were not measured.
UPDATE attempts SET cpu_user_us = NULL, cpu_system_us = NULL, max_rss_bytes = NULL WHERE max_rss_bytes = 0;
