CREATE TABLE standings (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    standing_json TEXT NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
