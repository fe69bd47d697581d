-- The entity inventory: bulk data, in a file of its own on SQLite so that it never holds up a revocation.

CREATE TABLE entity (
    id TEXT COLLATE "C" PRIMARY KEY,
    version TEXT NOT NULL,
    attributes TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- One row for each attribute that is not empty, for filters to look at. The JSON above is what is answered. There is no
-- index by value: PostgreSQL refuses index entries above 2.7 KB, and values may be longer.
CREATE TABLE entity_attribute (
    entity_id TEXT COLLATE "C" NOT NULL REFERENCES entity (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (entity_id, key)
);
