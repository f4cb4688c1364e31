-- name: list_migrations
SELECT version, checksum FROM schema_migrations ORDER BY version

-- name: record_migration
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1::integer, $2::text, $3::text)

-- name: analyze_outgrown_tables
SELECT analyze_outgrown_tables()

-- name: ensure_partition
SELECT ensure_partition(from_micros($1::bigint))

-- name: database_now
SELECT micros(clock_timestamp())
