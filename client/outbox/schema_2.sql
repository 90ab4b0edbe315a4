-- What version 2 adds to version 1. A file of version 1 is brought here when it is opened (see database.py).

CREATE TABLE receipt (                               -- kept for a year, when the message itself is long gone
    key        TEXT PRIMARY KEY NOT NULL,             -- the payload's key
    ticket     TEXT NOT NULL DEFAULT '',              -- the desk's id; of a reply, of the ticket that it answers
    ref        TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    sent_at    REAL,
    body       BLOB NOT NULL                          -- the receipt as JSON: hashes and names
);
CREATE INDEX receipt_ticket ON receipt (ticket);

-- What the list said and what was read are two things, so an answer that could not be fetched is fetched later.
ALTER TABLE ticket ADD COLUMN read_mark TEXT;           -- what the list said of it when its conversation was last read; NULL: never
ALTER TABLE ticket ADD COLUMN read_at REAL;             -- when that was, or was tried
ALTER TABLE ticket ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;  -- how often in a row it could not be read

UPDATE ticket SET read_mark = CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.updated_at') END
    WHERE opened = 1;

CREATE TABLE mailbox (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    listed_at   REAL,                                   -- when the desk last gave its list; NULL: never
    rest_until  REAL NOT NULL DEFAULT 0,                -- nobody asks for answers before, because the desk said so
    rest_set_at REAL NOT NULL DEFAULT 0
);
INSERT INTO mailbox (one, listed_at) SELECT 1, max(first_seen_at) FROM ticket;

CREATE TABLE answer (                                   -- the desk's list as it came, to be asked for with its ETag
    url  TEXT PRIMARY KEY NOT NULL,
    etag TEXT NOT NULL,
    body BLOB NOT NULL
);
