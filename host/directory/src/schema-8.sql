-- Tokens by which programs use the HTTP API. The secret itself is not here, only its digest. Those of
-- the whole site have no account.
CREATE TABLE api_tokens (
    id        TEXT PRIMARY KEY,
    account   TEXT REFERENCES accounts (id),
    body_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
