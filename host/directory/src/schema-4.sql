-- Brand whose mail an address receives and sends; one of its account's.
ALTER TABLE addresses ADD COLUMN brand TEXT;

-- Connections of customers, encrypted whole. The generation grows with each change of one.
CREATE TABLE connections (
    account    TEXT NOT NULL REFERENCES accounts (id),
    name       TEXT NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
