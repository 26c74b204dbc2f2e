-- A trace of schema 2.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    event_json TEXT NOT NULL
) STRICT;

CREATE INDEX events_of ON events (id);

INSERT INTO events VALUES (7, '018bcfe5-6800-7000-8000-000000000001', 1700000000000,
    '[{"at":1700000000000,"event":"aborted","reason":"RSET"}]');
