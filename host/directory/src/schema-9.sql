-- Requests of the HTTP API that were made under a key of their asker (Idempotency-Key), for a day. The
-- answer is encrypted; it is absent while the request is executed, and where its end was not recorded.
CREATE TABLE kept_requests (
    token  TEXT NOT NULL,
    key    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    digest TEXT NOT NULL,
    key_id TEXT,
    answer BLOB,
    PRIMARY KEY (token, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_requests_by_time ON kept_requests (at);
