-- What the envelope asked for: SMTPUTF8 (RFC 6531) and notifications (RFC 3461; null: nothing),
-- and who has been told that a recipient's mail is late.
ALTER TABLE contents ADD COLUMN smtputf8 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contents ADD COLUMN dsn_json TEXT;
ALTER TABLE recipients ADD COLUMN dsn_json TEXT;
ALTER TABLE recipients ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0;
