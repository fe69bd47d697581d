-- Gateways: connected services behind the hub. Settings are one JSON document that the program reads into its types;
-- what proves the hub to the upstream is wrapped by the hub's key and stands apart.

CREATE TABLE gateway (
    id TEXT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    wrapped_secret TEXT,
    wrapped_client_key TEXT,
    created_at BIGINT NOT NULL
);
