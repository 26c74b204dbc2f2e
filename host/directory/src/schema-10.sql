-- Endpoints that get the inbound mail of an account, encrypted whole. The generation grows with each
-- change of one.
CREATE TABLE endpoints (
    account    TEXT NOT NULL REFERENCES accounts (id),
    name       TEXT NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
