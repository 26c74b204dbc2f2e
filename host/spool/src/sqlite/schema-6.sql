-- How many commits there have been since the journal's last life began. The file beside the journal
-- says so, too: where it tells of more, some have been lost with the log of the database.
ALTER TABLE journal ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
-- CRC-32 of a body: of its file from the first octet on, where it has one. None where an earlier
-- version took it.
ALTER TABLE messages ADD COLUMN body_checksum INTEGER;
