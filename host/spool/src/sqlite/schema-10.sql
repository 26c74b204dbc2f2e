-- 10
-- Times of the failures that are counted, as JSON. None of an entry of an earlier version: all that
-- `count` says happened at `at`.
ALTER TABLE suppressions ADD COLUMN counted_json TEXT;
