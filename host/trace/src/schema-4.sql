-- What people know of a message, by which its transaction is found. Kept for as long as events are;
-- ids are in order of time.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,            -- transaction id
    at INTEGER NOT NULL,
    account TEXT NOT NULL,          -- '' if none is known
    flow TEXT NOT NULL,             -- inbound, submission, internal
    sender TEXT NOT NULL,           -- reverse-path in lower case, '' for the null one
    author TEXT NOT NULL,           -- first address of From in lower case, '' if it has none
    message_id TEXT NOT NULL,       -- without angle brackets, '' if it has none
    subject TEXT NOT NULL,          -- decoded
    metadata TEXT NOT NULL,         -- as the application wrote it, '' if there is none
    outcome TEXT NOT NULL           -- accept, reject, tempfail, quarantine, discard
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_of_account ON messages (account, id);
CREATE INDEX messages_from ON messages (sender, id);
CREATE INDEX messages_by ON messages (author, id);
CREATE INDEX messages_named ON messages (message_id, id);

-- Recipients of these, in lower case.
CREATE TABLE message_recipients (
    address TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (address, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_recipients_of ON message_recipients (id);
