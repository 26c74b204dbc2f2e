-- 7
-- CRC-32 of `head`. None where an earlier version took the message.
ALTER TABLE contents ADD COLUMN head_checksum INTEGER;
