-- Addresses that have shown themselves to be machines'. An empty account stands for none.
CREATE TABLE machines (
    account TEXT NOT NULL,
    address TEXT NOT NULL,          -- in canonical form
    evidence TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX machines_until ON machines (until);
