-- How far this database has got with the journal, the file beside it in which messages stand that
-- were accepted a moment ago. There is one row once a relay has made a journal.
CREATE TABLE journal (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    salt INTEGER NOT NULL,          -- of the file's present life
    letters INTEGER NOT NULL,       -- every message at a position before is gone or in `messages`
    effects INTEGER NOT NULL        -- every effect before is in `marks` and `counts`
) STRICT;

-- Messages at or behind `letters` that are in `messages`, or were.
CREATE TABLE carried (
    position INTEGER PRIMARY KEY
) STRICT;
