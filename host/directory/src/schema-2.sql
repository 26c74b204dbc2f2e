-- Who is known to forward the mail of a connected domain to us.
ALTER TABLE connectors ADD COLUMN forwarders_json TEXT NOT NULL DEFAULT '{}';

-- What an account has set for a policy: a JSON object.
CREATE TABLE policy_settings (
    account       TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    policy        TEXT NOT NULL,
    settings_json TEXT NOT NULL,
    PRIMARY KEY (account, policy)
) STRICT, WITHOUT ROWID;
