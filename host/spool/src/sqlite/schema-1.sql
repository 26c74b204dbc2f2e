-- The queue. Times are UTC milliseconds since 1970; what ends in _json is as serde writes it.

-- One row for each message that has a recipient with something still to happen to it. Kept
-- slim: what only a delivery or a postmaster reads is in contents.
CREATE TABLE messages (
    number INTEGER PRIMARY KEY,     -- in order of arrival
    id TEXT NOT NULL UNIQUE,        -- transaction id
    account TEXT,
    reverse_path TEXT NOT NULL,     -- empty for the null sender
    began_at INTEGER NOT NULL,      -- the transaction's time
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    quarantine_reason TEXT,         -- not null: kept apart from the queue
    quarantine_expires INTEGER,
    tags_json TEXT NOT NULL,
    body_offset INTEGER,            -- where the body begins in incoming/<id>; null: in contents
    size INTEGER NOT NULL,          -- octets of head and body
    CHECK ((quarantine_reason IS NULL) = (quarantine_expires IS NULL))
) STRICT;

CREATE INDEX quarantine ON messages (quarantine_expires) WHERE quarantine_expires IS NOT NULL;

CREATE TABLE contents (
    message INTEGER PRIMARY KEY REFERENCES messages,
    session_json TEXT NOT NULL,
    classification_json TEXT,
    judgements_json TEXT NOT NULL,
    head BLOB NOT NULL,
    body BLOB                       -- null: in incoming/<id>
) STRICT;

CREATE TABLE recipients (
    message INTEGER NOT NULL REFERENCES messages,
    number INTEGER NOT NULL,        -- in the order of the envelope, from 0
    address TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'held', 'quarantined',
        'delivered', 'failed', 'cancelled', 'suppressed')),
    due INTEGER,                    -- queued: next attempt; leased: when the lease runs out
    owner TEXT,                     -- leased: by whom
    attempts INTEGER NOT NULL DEFAULT 0,
    last_attempt INTEGER,           -- when it was last leased
    last_reply_json TEXT,
    last_server TEXT,
    reason TEXT,                    -- suppressed: why
    PRIMARY KEY (message, number),
    CHECK ((due IS NOT NULL) = (state IN ('queued', 'leased'))),
    CHECK ((owner IS NOT NULL) = (state = 'leased'))
) STRICT, WITHOUT ROWID;

-- What delivery asks for, and nothing else. A lease that ran out is due again.
CREATE INDEX due ON recipients (due) WHERE due IS NOT NULL;

-- What policies asked to remember. An empty account stands for none.
CREATE TABLE marks (
    policy TEXT NOT NULL,
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (policy, account, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX marks_until ON marks (until);

CREATE TABLE counts (
    policy TEXT NOT NULL,
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    minute INTEGER NOT NULL,        -- since 1970
    amount INTEGER NOT NULL,
    PRIMARY KEY (policy, account, key, minute)
) STRICT, WITHOUT ROWID;

CREATE INDEX counts_minute ON counts (minute);
