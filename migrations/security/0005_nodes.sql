-- The nodes of this store: every `serve` keeps one row about itself, without change numbers and audit events. `applied` is
-- the number of the last change that is in effect there; `polled_at` is when its last good poll began, 0 for never.

CREATE TABLE node (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    applied_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    staleness_limit BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX node_by_last_report ON node (seen_at);
