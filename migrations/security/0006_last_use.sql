-- The list by last use: with the column itself beside its expression, PostgreSQL walks the index alone.
DROP INDEX application_by_last_use;
CREATE INDEX application_by_last_use ON application (COALESCE(last_used_at, 0), client_id, last_used_at);
