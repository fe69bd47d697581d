-- The entity inventory: bulk data, in a file of its own on SQLite so that it never holds up a revocation.

CREATE TABLE entity (
    id TEXT COLLATE "C" PRIMARY KEY,
    version TEXT NOT NULL,
    attributes TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- One row for each attribute that is not empty, for filters to find by index. The JSON above is what is answered.
CREATE TABLE entity_attribute (
    entity_id TEXT COLLATE "C" NOT NULL REFERENCES entity (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (entity_id, key)
);
CREATE INDEX entity_attribute_by_value ON entity_attribute (key, value, entity_id);
