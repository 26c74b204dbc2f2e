-- 9
-- Events of messages, as the application is told. The last one is never deleted: numbers go on from
-- it. `body` is the event as JSON.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT,
    transaction_id BLOB,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
-- Events of one message; its id is stored as 16 octets.
CREATE INDEX events_transaction ON events (transaction_id) WHERE transaction_id IS NOT NULL;

-- How far each reader of events has come.
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Suppression lists. Addresses are in canonical form.
CREATE TABLE suppressions (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at INTEGER NOT NULL,
    transaction_id BLOB,
    count INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressions_at ON suppressions (account, at);
CREATE INDEX suppressions_counting ON suppressions (at) WHERE cause = 'counting';

-- Message-IDs that mail services gave our messages.
CREATE TABLE learnt_ids (
    account TEXT NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, theirs)
) STRICT, WITHOUT ROWID;
CREATE INDEX learnt_ids_at ON learnt_ids (at);

-- Text that the application handed in with the message.
ALTER TABLE contents ADD COLUMN metadata TEXT;

-- Time until which the message is kept since a recipient has failed.
ALTER TABLE messages ADD COLUMN keep_until INTEGER;
-- 1 once all its recipients are finished: it has left the queue, and is kept.
ALTER TABLE messages ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_kept ON messages (keep_until) WHERE kept = 1;

-- Time since which the message waits, while its account is still to be told that it is late.
ALTER TABLE messages ADD COLUMN untold_since INTEGER;
CREATE INDEX messages_untold ON messages (untold_since) WHERE untold_since IS NOT NULL;
