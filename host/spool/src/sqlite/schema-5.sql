-- Of which form the journal is, and how long its ring: 0 while there is none that counts, 1 as it
-- was before this column, 2 with a first page.
ALTER TABLE journal ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
ALTER TABLE journal ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
-- Whether a message comes from whom its reverse-path names, as JSON. None where an earlier version
-- took it.
ALTER TABLE contents ADD COLUMN sender_json TEXT;
