-- The outbox, version 1. Times are seconds since 1970 (UTC) by this computer's clock; a time whose clock may be put back has
-- the moment beside it at which it was decided. Bytes of files are kept once, by their hash.

CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY NOT NULL,
    data   BLOB NOT NULL
);

CREATE TABLE draft (
    id         TEXT PRIMARY KEY NOT NULL,
    created_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    body       BLOB NOT NULL                 -- the draft as JSON, without its files
);

CREATE TABLE draft_file (
    draft      TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256     TEXT NOT NULL REFERENCES blob (sha256),
    PRIMARY KEY (draft, place)
);
CREATE INDEX draft_file_blob ON draft_file (sha256);

CREATE TABLE entry (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of adding, whatever the clock says
    id            TEXT NOT NULL UNIQUE,               -- the payload's key
    kind          TEXT NOT NULL CHECK (kind IN ('ticket', 'reply')),
    reply_to      TEXT,
    subject       TEXT NOT NULL,
    payload       BLOB NOT NULL,                      -- canonical JSON, files as name, type, size and hash
    sha256        TEXT NOT NULL,                      -- of that JSON: the receipt
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'created', 'sent', 'unsure', 'refused')),
    created_at    REAL NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    due_at        REAL NOT NULL,
    due_set_at    REAL NOT NULL,
    urgent        INTEGER NOT NULL DEFAULT 0,         -- 1: new, passes a pause that nobody asked for; 2: retried by a person, passes any
    active        INTEGER NOT NULL DEFAULT 0,         -- the holder of the sending lock has it in hand
    unclear_since REAL,                               -- first attempt that may have arrived; NULL: certainly none has
    begun_at      REAL,                               -- the latest attempt's request went out (or was about to)
    same_before   INTEGER,                            -- a reply: own messages with the same words before the first attempt
    last_error    TEXT NOT NULL DEFAULT '',
    ticket        BLOB,                               -- what the desk made of it, as JSON
    sent_at       REAL
);
CREATE INDEX entry_open ON entry (state) WHERE state IN ('waiting', 'created');

CREATE TABLE entry_file (
    entry      TEXT NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL REFERENCES blob (sha256),
    progress   TEXT NOT NULL DEFAULT 'open' CHECK (progress IN ('open', 'begun', 'attached', 'refused')),
    words      TEXT NOT NULL DEFAULT '',              -- why the desk refused it
    PRIMARY KEY (entry, place)
);
CREATE INDEX entry_file_blob ON entry_file (sha256);

CREATE TABLE pause (                                  -- of everything, when it is the desk itself that does not answer
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    failures INTEGER NOT NULL DEFAULT 0,
    until    REAL NOT NULL DEFAULT 0,
    set_at   REAL NOT NULL DEFAULT 0,
    asked    INTEGER NOT NULL DEFAULT 0,              -- the desk asked for it, or needs a person first: new messages wait too
    reason   TEXT NOT NULL DEFAULT ''
);
INSERT INTO pause (one) VALUES (1);

CREATE TABLE own_ticket (id TEXT PRIMARY KEY NOT NULL);  -- made on this computer: every answer in them is news

CREATE TABLE ticket (
    id            TEXT PRIMARY KEY NOT NULL,
    place         INTEGER NOT NULL,                   -- the order in which the desk listed them
    listed        INTEGER NOT NULL,                   -- 0: the desk's last list no longer had it
    body          BLOB NOT NULL,
    first_seen_at REAL NOT NULL,
    opened        INTEGER NOT NULL DEFAULT 0          -- its conversation has been kept at least once
);

CREATE TABLE comment (
    ticket TEXT NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
    id     TEXT NOT NULL,
    place  INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (ticket, id)
);

CREATE TABLE notice (words TEXT NOT NULL);            -- what happened to this file, told once
