-- name: insert_credential
INSERT INTO credentials (id, kind, hash, description, role, pool_id, user_id, team_id, expires_at)
VALUES ($1::uuid, $2::text, $3::bytea, $4::text, $5::text, $6::uuid, $7::uuid, $8::uuid,
        clock_timestamp() + $9::bigint * interval '1 millisecond')

-- name: find_credential
SELECT c.id, c.kind, c.role, c.pool_id, c.user_id, c.team_id, u.name,
       c.revoked_at IS NOT NULL, (c.expires_at < clock_timestamp()) IS TRUE,
       (c.last_used_at < clock_timestamp() - interval '1 minute') IS NOT FALSE
FROM credentials c JOIN users u ON u.id = c.user_id WHERE c.hash = $1::bytea

-- name: touch_credential
UPDATE credentials SET last_used_at = clock_timestamp() WHERE id = $1::uuid

-- Of two exchanges of one token the first deletes it.
-- name: take_join_token
DELETE FROM credentials
WHERE hash = $1::bytea AND kind = 'join' AND revoked_at IS NULL AND expires_at > clock_timestamp()
RETURNING pool_id, user_id, team_id

-- name: list_credentials
SELECT c.id, c.kind, c.description, c.role, p.name, micros(c.created_at), micros(c.expires_at), micros(c.last_used_at),
       micros(c.revoked_at), u.name
FROM credentials c JOIN users u ON u.id = c.user_id LEFT JOIN work_pools p ON p.id = c.pool_id
WHERE ($1::uuid IS NULL OR c.id = $1::uuid) AND ($2::uuid IS NULL OR c.id < $2::uuid)
  AND ($3::boolean OR c.revoked_at IS NULL)
ORDER BY c.id DESC LIMIT $4::integer

-- name: revoke_credential
UPDATE credentials SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1::uuid RETURNING hash

-- name: count_admin_keys
SELECT count(*) FROM credentials WHERE kind = 'user' AND role = 'admin' AND revoked_at IS NULL

-- name: database_facts
SELECT current_setting('server_version'), (SELECT max(version) FROM schema_migrations)
