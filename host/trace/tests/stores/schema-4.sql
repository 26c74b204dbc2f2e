-- A trace of schema 4.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    event_json TEXT NOT NULL
) STRICT;

CREATE INDEX events_of ON events (id);

INSERT INTO events VALUES (7, '018bcfe5-6800-7000-8000-000000000001', 1700000000000,
    '[{"at":1700000000000,"event":"aborted","reason":"RSET"}]');

CREATE TABLE sent (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT NOT NULL,
    domain TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    headers_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_as ON sent (message_id);
CREATE TABLE header_findings (
    domain TEXT NOT NULL,
    account TEXT NOT NULL,
    header TEXT NOT NULL,
    finding TEXT NOT NULL,
    count INTEGER NOT NULL,
    by_message_id INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    example TEXT NOT NULL,
    sent TEXT NOT NULL,
    came TEXT NOT NULL,
    PRIMARY KEY (domain, account, header, finding)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT NOT NULL,
    flow TEXT NOT NULL,
    sender TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    metadata TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_of_account ON messages (account, id);
CREATE INDEX messages_from ON messages (sender, id);
CREATE INDEX messages_by ON messages (author, id);
CREATE INDEX messages_named ON messages (message_id, id);

CREATE TABLE message_recipients (
    address TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (address, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_recipients_of ON message_recipients (id);

INSERT INTO messages VALUES ('018bcfe5-6800-7000-8000-000000000001', 1700000000000, 'acme', 'inbound',
    'ann@a.example', 'ann@a.example', '1@a.example', 'A parcel', '', 'accept');
INSERT INTO message_recipients VALUES ('help@acme.example', '018bcfe5-6800-7000-8000-000000000001');
