-- What happened, in the order it was recorded. Times are UTC milliseconds since 1970.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,               -- transaction id
    at INTEGER NOT NULL,
    event_json TEXT NOT NULL        -- what, as serde writes it; "event" names it
) STRICT;

CREATE INDEX events_of ON events (id);
