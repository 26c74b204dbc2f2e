-- Domains are in A-labels; moments are milliseconds since 1970; names of kinds and states are those
-- of the configuration and of JSON.

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('sandbox', 'production')),
    product       TEXT NOT NULL,
    time_zone     TEXT NOT NULL,
    native_domain TEXT NOT NULL UNIQUE,
    created       INTEGER NOT NULL
) STRICT;

CREATE TABLE brands (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE connectors (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL REFERENCES accounts (id),
    name     TEXT NOT NULL,
    domain   TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('two-way', 'outbound-only')),
    protocol TEXT NOT NULL CHECK (protocol IN ('PLAIN', 'LOGIN', 'SCRAM-SHA-256')),
    state    TEXT NOT NULL CHECK (state IN ('claimed', 'verified', 'disconnected')),
    created  INTEGER NOT NULL,
    UNIQUE (account, domain)
) STRICT;

-- A claim blocks nobody; the first to verify has the domain.
CREATE UNIQUE INDEX one_owner_of_a_domain ON connectors (domain) WHERE state <> 'claimed';

-- Without a connector, the address is in the account's native domain.
CREATE TABLE addresses (
    canonical TEXT NOT NULL,
    account   TEXT NOT NULL REFERENCES accounts (id),
    connector TEXT REFERENCES connectors (id),
    address   TEXT NOT NULL,
    created   INTEGER NOT NULL,
    PRIMARY KEY (canonical, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX addresses_of_a_connector ON addresses (connector);

-- With a connector it is for relay from its domain, without one for submission.
CREATE TABLE credentials (
    user_name TEXT PRIMARY KEY,
    account   TEXT NOT NULL REFERENCES accounts (id),
    connector TEXT REFERENCES connectors (id),
    alias     INTEGER NOT NULL CHECK (alias IN (0, 1)),
    created   INTEGER NOT NULL,
    last_used INTEGER,
    revoked   INTEGER,
    -- Encrypted with the key of this id.
    key_id    TEXT NOT NULL,
    verifier  BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX one_alias_of_an_account ON credentials (account)
    WHERE alias = 1 AND revoked IS NULL;
