-- 8
-- Destination of the stored route, and the route as JSON. None before the recipient is routed.
ALTER TABLE recipients ADD COLUMN destination TEXT;
ALTER TABLE recipients ADD COLUMN route_json TEXT;
-- Time at which the recipient is claimed even if its destination is closed. None stands for the
-- time at which the message expires.
ALTER TABLE recipients ADD COLUMN attention INTEGER;
-- Due recipients are found in memory, by destination and account.
DROP INDEX due;
