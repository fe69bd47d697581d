-- Finds entities by attribute and value, in the order of their ids. Only the beginning of a value stands in the index,
-- because PostgreSQL refuses index entries above 2.7 KB: at most 100 characters of 4 bytes beside a key of 128 bytes and an
-- id of 256. The databases keep it up to date themselves, so that a program of the version before goes on beside it.
CREATE INDEX entity_attribute_by_value ON entity_attribute (key, (substr(value, 1, 100)), entity_id);
