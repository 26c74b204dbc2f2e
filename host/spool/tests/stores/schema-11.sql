-- A store of schema 11 as a relay left it that was killed during an attempt.

CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT,
    reverse_path TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    quarantine_reason TEXT,
    quarantine_expires INTEGER,
    tags_json TEXT NOT NULL,
    body_offset INTEGER,
    size INTEGER NOT NULL,
    body_checksum INTEGER,
    CHECK ((quarantine_reason IS NULL) = (quarantine_expires IS NULL))
) STRICT;

CREATE INDEX quarantine ON messages (quarantine_expires) WHERE quarantine_expires IS NOT NULL;

CREATE TABLE contents (
    message INTEGER PRIMARY KEY REFERENCES messages,
    session_json TEXT NOT NULL,
    classification_json TEXT,
    judgements_json TEXT NOT NULL,
    head BLOB NOT NULL,
    body BLOB
) STRICT;

CREATE TABLE recipients (
    message INTEGER NOT NULL REFERENCES messages,
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'held', 'quarantined',
        'delivered', 'failed', 'cancelled', 'suppressed')),
    due INTEGER,
    owner TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_attempt INTEGER,
    last_reply_json TEXT,
    last_server TEXT,
    reason TEXT,
    PRIMARY KEY (message, number),
    CHECK ((due IS NOT NULL) = (state IN ('queued', 'leased'))),
    CHECK ((owner IS NOT NULL) = (state = 'leased'))
) STRICT, WITHOUT ROWID;

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
    minute INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (policy, account, key, minute)
) STRICT, WITHOUT ROWID;

CREATE INDEX counts_minute ON counts (minute);
ALTER TABLE contents ADD COLUMN smtputf8 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contents ADD COLUMN dsn_json TEXT;
ALTER TABLE recipients ADD COLUMN dsn_json TEXT;
ALTER TABLE recipients ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN destination TEXT;
ALTER TABLE recipients ADD COLUMN route_json TEXT;
ALTER TABLE recipients ADD COLUMN attention INTEGER;
ALTER TABLE contents ADD COLUMN sender_json TEXT;
ALTER TABLE contents ADD COLUMN head_checksum INTEGER;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT,
    transaction_id BLOB,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_transaction ON events (transaction_id) WHERE transaction_id IS NOT NULL;

CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at INTEGER NOT NULL,
    transaction_id BLOB,
    count INTEGER NOT NULL,
    counted_json TEXT,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressions_at ON suppressions (account, at);
CREATE INDEX suppressions_counting ON suppressions (at) WHERE cause = 'counting';

CREATE TABLE learnt_ids (
    account TEXT NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, theirs)
) STRICT, WITHOUT ROWID;
CREATE INDEX learnt_ids_at ON learnt_ids (at);

ALTER TABLE contents ADD COLUMN metadata TEXT;

ALTER TABLE messages ADD COLUMN keep_until INTEGER;
ALTER TABLE messages ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_kept ON messages (keep_until) WHERE kept = 1;
ALTER TABLE messages ADD COLUMN untold_since INTEGER;
CREATE INDEX messages_untold ON messages (untold_since) WHERE untold_since IS NOT NULL;

INSERT INTO messages VALUES (1, '018bcfe5-6800-7000-8000-000000000001', 'acme',
    'alice@sender.example', 1700000000000, 1700000000000, 1700432000000, NULL, NULL, '["tag"]',
    NULL, 22, NULL, NULL, 0, NULL);
INSERT INTO contents VALUES (1, '{"listener":"mx","flow":"inbound","client":"192.0.2.1:4711","helo":null,"tls":null,"user":null}',
    '{"class":"human","reply-allowed":true}', '[]',
    CAST('Subject: old' || char(13, 10, 13, 10) AS BLOB), CAST('Old.' || char(13, 10) AS BLOB), 0, NULL, '"proved"',
    1629399609, 'ticket 4711');
INSERT INTO recipients VALUES (1, 0, 'bob@a.example', 'leased', 1700000600000,
    '018bcfe5-6800-7000-8000-000000000002', 1, 1700000000000,
    '{"code":451,"enhanced":"4.3.0","lines":["later"]}', 'mx.example:25', NULL, NULL, 0,
    'connection:acme/office',
    '{"plan":{"steps":[{"way":{"connection":"office"}}]},"step":0,"destination":{"connection":{"account":"acme","name":"office"}},"failures":1,"since":1700000000000,"stamp":"ab12","holds-until":null}',
    1700014400000);
INSERT INTO marks VALUES ('loop-guard', '', 'x', 1700000060000);
INSERT INTO counts VALUES ('loop-guard', '', 'k', 28333333, 3);

CREATE TABLE journal (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    salt INTEGER NOT NULL,
    letters INTEGER NOT NULL,
    effects INTEGER NOT NULL,
    form INTEGER NOT NULL DEFAULT 1,
    length INTEGER NOT NULL DEFAULT 0,
    commits INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE carried (
    position INTEGER PRIMARY KEY
) STRICT;

INSERT INTO journal VALUES (1, 4711, 0, 0, 0, 0, 0);

CREATE TABLE machines (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    evidence TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX machines_until ON machines (until);

INSERT INTO machines VALUES ('acme', 'robot@a.example', 'cron', 1700000000000, 1700000060000);

INSERT INTO events VALUES (7, 1700000000000, 'acme', x'018bcfe5680070008000000000000001', 'queued',
    '{"account":"acme","transaction":"018bcfe5-6800-7000-8000-000000000001","message-id":"1@sender.example","recipient":"bob@a.example","metadata":"ticket 4711","at":1700000000000,"kind":"queued"}');
INSERT INTO cursors VALUES ('webhook', 6);
INSERT INTO suppressions VALUES ('acme', 'gone@a.example', 'hard-bounce', '550 5.1.1 nobody here',
    1700000000000, NULL, 1, NULL);
INSERT INTO suppressions VALUES ('acme', 'full@a.example', 'counting', '452 4.2.2 mailbox full',
    1700000000000, NULL, 2, '[1699990000000,1700000000000]');
INSERT INTO learnt_ids VALUES ('acme', 'theirs@service.example', 'ours@sender.example',
    1700000000000);

CREATE TABLE keyed_answers (
    account TEXT NOT NULL,
    program TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    transaction_id BLOB NOT NULL,
    answer_json TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, program, key)
) STRICT;
CREATE INDEX keyed_answers_at ON keyed_answers (at);
INSERT INTO keyed_answers VALUES ('acme', 'token', 'order 4711',
    x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
    x'018bcfe5680070008000000000000001', '{"recipients":[["bob@a.example","delivered"]]}',
    1700000000000);
