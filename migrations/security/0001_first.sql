-- Security state. One text for SQLite and PostgreSQL: ids and JSON as TEXT, instants as BIGINT microseconds since 1970.
-- COLLATE "C" orders by bytes on PostgreSQL; SQLite does so by itself and never sees these two words.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- The number of the last change, in one row that every writer bumps last: numbers become visible in order, without gaps.
CREATE TABLE change_counter (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL
);
-- Row 1 numbers the changes, row 2 the audit events.
INSERT INTO change_counter (id, seq) VALUES (1, 0), (2, 0);

CREATE TABLE change (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE pepper (
    id TEXT PRIMARY KEY,
    wrapped TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE signing_key (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    ends_at BIGINT
);

CREATE TABLE role (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    filter TEXT NOT NULL,
    built_in BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE role_grant (
    role_id TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    grant_text TEXT NOT NULL,
    PRIMARY KEY (role_id, grant_text)
);

CREATE TABLE application (
    client_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    networks TEXT NOT NULL,
    allow_basic BOOLEAN NOT NULL,
    expires_at BIGINT,
    min_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

CREATE TABLE application_role (
    client_id TEXT NOT NULL REFERENCES application (client_id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, role_id)
);
CREATE INDEX application_role_by_role ON application_role (role_id);

-- The live secrets as keyed hashes. A submission names the form that asked for it: a repeated submit makes no second one.
CREATE TABLE api_secret (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES application (client_id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    pepper TEXT NOT NULL REFERENCES pepper (id),
    created_at BIGINT NOT NULL,
    ends_at BIGINT
);
CREATE INDEX api_secret_by_application ON api_secret (client_id);
CREATE INDEX api_secret_by_end ON api_secret (ends_at);

CREATE TABLE submission (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX submission_by_time ON submission (at);

-- Tombstones: a deleted client_id is never used again, not by a restore either.
CREATE TABLE deleted_application (
    client_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    deleted_at BIGINT NOT NULL
);

CREATE TABLE revoked_token (
    jti TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_token_by_expiry ON revoked_token (expires_at);

CREATE TABLE console_user (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE console_user_role (
    user_id TEXT NOT NULL REFERENCES console_user (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role_id)
);

CREATE TABLE console_session (
    token_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES console_user (id) ON DELETE CASCADE,
    signed_in_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX console_session_by_user ON console_session (user_id);

-- The one-time links by which the first administrator is made; gone once there is one.
CREATE TABLE first_run_link (
    token_hash TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE audit_event (
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_name TEXT NOT NULL,
    before_state TEXT NOT NULL,
    after_state TEXT NOT NULL
);
CREATE INDEX audit_event_by_target ON audit_event (target_kind, target_id, sequence);
