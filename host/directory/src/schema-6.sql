-- Restrictions on the submissions of an account of the directory or of the configuration.
CREATE TABLE restrictions (
    account   TEXT NOT NULL PRIMARY KEY,
    caps_json TEXT NOT NULL,
    suspended INTEGER,
    reason    TEXT
) STRICT, WITHOUT ROWID;

-- Network from which a credential was used last.
ALTER TABLE credentials ADD COLUMN last_network TEXT;
