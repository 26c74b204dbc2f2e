-- Sharing agreements: what they share is looked up, never stored. The lesser id comes first, so
-- that two accounts have one agreement.
CREATE TABLE agreements (
    one     TEXT NOT NULL REFERENCES accounts (id),
    other   TEXT NOT NULL REFERENCES accounts (id),
    created INTEGER NOT NULL,
    PRIMARY KEY (one, other),
    CHECK (one < other)
) STRICT, WITHOUT ROWID;

-- Where partner addresses come from: what an account has added by hand, what it has imported under
-- a name, and feeds by their URL. What follows `created` is of feeds.
CREATE TABLE partner_lists (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account       TEXT NOT NULL REFERENCES accounts (id),
    kind          TEXT NOT NULL CHECK (kind IN ('by-hand', 'import', 'feed')),
    name          TEXT NOT NULL,
    created       INTEGER NOT NULL,
    every_seconds INTEGER,
    domains       INTEGER NOT NULL DEFAULT 0 CHECK (domains IN (0, 1)),
    validator     TEXT,
    tried         INTEGER,
    fetched       INTEGER,
    problem       TEXT,
    UNIQUE (account, kind, name)
) STRICT;

-- An address as it is spelled, or a whole domain with an @ before it.
CREATE TABLE partners (
    list  INTEGER NOT NULL REFERENCES partner_lists (id) ON DELETE CASCADE,
    entry TEXT NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (list, entry)
) STRICT, WITHOUT ROWID;
