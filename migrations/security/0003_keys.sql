-- The list of applications: who answers for each, and an index for each way in which people look for them.

ALTER TABLE application ADD COLUMN owner TEXT REFERENCES console_user (id) ON DELETE SET NULL;
CREATE INDEX application_by_owner ON application (owner);

CREATE INDEX application_by_creation ON application (created_at, client_id);
CREATE INDEX application_by_last_use ON application (COALESCE(last_used_at, 0), client_id);
CREATE INDEX application_by_expiry ON application (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX application_disabled ON application (client_id) WHERE NOT enabled;
-- The first characters of a client_id as people type them; equality works in every collation.
CREATE INDEX application_by_id_start ON application (substr(client_id, 1, 5));

-- Find by secret.
CREATE INDEX api_secret_by_hash ON api_secret (hash);
