-- Connectors may be of a third kind, `forwarded`. SQLite cannot change a constraint: the table is
-- made anew under its name, and what refers to its rows is compared at the end of the step.
PRAGMA defer_foreign_keys = ON;
CREATE TEMPORARY TABLE connectors_before AS SELECT * FROM connectors;
DROP TABLE connectors;
CREATE TABLE connectors (
    id              TEXT PRIMARY KEY,
    account         TEXT NOT NULL REFERENCES accounts (id),
    name            TEXT NOT NULL,
    domain          TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('two-way', 'outbound-only', 'forwarded')),
    protocol        TEXT NOT NULL CHECK (protocol IN ('PLAIN', 'LOGIN', 'SCRAM-SHA-256')),
    state           TEXT NOT NULL CHECK (state IN ('claimed', 'verified', 'disconnected')),
    created         INTEGER NOT NULL,
    forwarders_json TEXT NOT NULL DEFAULT '{}',
    details_json    TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, domain)
) STRICT;
INSERT INTO connectors (id, account, name, domain, kind, protocol, state, created, forwarders_json)
    SELECT id, account, name, domain, kind, protocol, state, created, forwarders_json
    FROM connectors_before;
DROP TABLE connectors_before;
CREATE UNIQUE INDEX one_owner_of_a_domain ON connectors (domain) WHERE state <> 'claimed';

ALTER TABLE accounts ADD COLUMN details_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE addresses ADD COLUMN details_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credentials ADD COLUMN details_json TEXT NOT NULL DEFAULT '{}';

-- People who administer an account.
CREATE TABLE administrators (
    account   TEXT NOT NULL REFERENCES accounts (id),
    canonical TEXT NOT NULL,
    body_json TEXT NOT NULL,
    PRIMARY KEY (account, canonical)
) STRICT, WITHOUT ROWID;

-- Verification mails that are on their way.
CREATE TABLE probes (
    id        TEXT PRIMARY KEY,
    account   TEXT NOT NULL REFERENCES accounts (id),
    body_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Secrets that a link shows once, sealed with what only the link has.
CREATE TABLE handovers (
    id        TEXT PRIMARY KEY,
    account   TEXT NOT NULL REFERENCES accounts (id),
    body_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Record of what was changed, by whom and from where. The account may be gone.
CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    account   TEXT,
    body_json TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_account ON audit (account, seq);
CREATE INDEX audit_by_time ON audit (at);
