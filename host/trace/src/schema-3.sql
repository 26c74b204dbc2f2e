-- What a message said when it left, to be held against what comes back of it. The newest are kept;
-- ids are in order of time.
CREATE TABLE sent (
    id TEXT PRIMARY KEY,            -- transaction id
    at INTEGER NOT NULL,
    account TEXT NOT NULL,
    domain TEXT NOT NULL,           -- of From, in A-labels
    message_id INTEGER NOT NULL,    -- a hash of it
    headers_json TEXT NOT NULL      -- [[name, value], ...]
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_as ON sent (message_id);

-- What became of headers on the way through a domain's servers, counted.
CREATE TABLE header_findings (
    domain TEXT NOT NULL,
    account TEXT NOT NULL,
    header TEXT NOT NULL,
    finding TEXT NOT NULL,          -- intact, lost, altered, replaced, added, answered
    count INTEGER NOT NULL,
    by_message_id INTEGER NOT NULL, -- of these, without an email id to prove them ours
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    example TEXT NOT NULL,          -- transaction id of the last message sent
    sent TEXT NOT NULL,             -- what it said
    came TEXT NOT NULL,             -- what came back
    PRIMARY KEY (domain, account, header, finding)
) STRICT, WITHOUT ROWID;
