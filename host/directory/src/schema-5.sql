-- Keys of DKIM, of accounts and, without an account, of the site. The private half is encrypted, and
-- gone once a key is retired.
CREATE TABLE dkim_keys (
    account   TEXT REFERENCES accounts (id),
    domain    TEXT NOT NULL,
    selector  TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state     TEXT NOT NULL,
    created   INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    finding   TEXT,
    public    BLOB NOT NULL,
    key_id    TEXT,
    sealed    BLOB
) STRICT;
-- The site's keys have no account, and NULL is never equal to NULL.
CREATE UNIQUE INDEX dkim_keys_by_name ON dkim_keys (domain, selector, ifnull(account, ''));
