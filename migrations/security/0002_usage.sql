-- What applications do: counts per day, last uses to the minute, refusals per minute. Written in batches beside the
-- requests (no request writes a row), without change numbers and without audit events.

ALTER TABLE application ADD COLUMN last_used_at BIGINT;
ALTER TABLE api_secret ADD COLUMN last_used_at BIGINT;

-- One row per application and day (days since 1970-01-01, UTC), which every node adds to. `grants` is the set of grants that
-- were used, each preceded by a space. It goes with its application.
CREATE TABLE usage_day (
    client_id TEXT NOT NULL REFERENCES application (client_id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    grants TEXT NOT NULL,
    PRIMARY KEY (client_id, day)
);
CREATE INDEX usage_day_by_day ON usage_day (day);

-- Refusals per minute (`at` is its start), reason, application and source; no client_id where none of ours was named, no
-- source where a node had to add several together to stay below its cap. Kept when the application is deleted.
CREATE TABLE denial (
    client_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (client_id, at, reason, source)
);
CREATE INDEX denial_by_time ON denial (at);
