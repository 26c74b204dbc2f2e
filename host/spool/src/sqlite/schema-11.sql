-- 11
-- Answers to programs that handed in a message under a key of their own. `request` is the SHA-256 of
-- the request; the message's id is stored as 16 octets.
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
