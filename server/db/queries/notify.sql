-- name: notify
SELECT pg_notify('forebay', payload) FROM unnest($1::text[]) AS payload
