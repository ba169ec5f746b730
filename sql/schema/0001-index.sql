-- The index: accounts, projects, releases, files, and the journal of changes.
-- Numbered migrations are never edited after a release; `tilsit migrate`
-- applies those that schema_migration does not name, each in a transaction.
--
-- Text that SQL compares is ASCII in normal form, so the database is made
-- with the C collation: byte order, the same on every machine.

-- One row.  The serial is taken from it last of all in a change, and its lock
-- is held until that change is visible: serials appear in order (rule J1).
CREATE TABLE serial_counter (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    value   int8 NOT NULL
);
INSERT INTO serial_counter (value) VALUES (0);

-- One row: on which timeline of PostgreSQL writers were let in (F4), and which
-- start of the primary the replica has confirmed a commit of (F3).
CREATE TABLE primary_state (
    one         bool PRIMARY KEY DEFAULT true CHECK (one),
    timeline    int8 NOT NULL,
    started_at  timestamptz NOT NULL        -- its checkpointer's start
);
INSERT INTO primary_state (timeline, started_at)
SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8,
       '-infinity';

CREATE TABLE account (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE,       -- lower case
    email           text NOT NULL DEFAULT '',
    password_hash   text,                       -- Argon2id; null: tokens only
    is_active       bool NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- A secret is shown once and never stored: only its digest is.
CREATE TABLE token (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      int8 NOT NULL REFERENCES account ON DELETE CASCADE,
    secret_hash     bytea NOT NULL UNIQUE,
    label           text NOT NULL,
    is_limited      bool NOT NULL,      -- to the projects in token_project
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    last_used_at    timestamptz
);
CREATE INDEX token_account ON token (account_id);

-- By name, not by id: a token may be for a project that is yet to be created.
CREATE TABLE token_project (
    token_id        int8 NOT NULL REFERENCES token ON DELETE CASCADE,
    project         text NOT NULL,              -- normalized name
    PRIMARY KEY (token_id, project)
);

CREATE TABLE project (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,              -- as last uploaded
    normalized_name text NOT NULL UNIQUE,       -- PEP 503
    ultra_name      text NOT NULL,              -- "too similar" if equal
    status          text NOT NULL DEFAULT 'active' CHECK (status IN
                        ('active', 'archived', 'quarantined', 'deprecated')),
    status_reason   text NOT NULL DEFAULT '',
    last_serial     int8 NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX project_ultra ON project (ultra_name);
CREATE INDEX project_serial ON project (last_serial);
CREATE INDEX project_newest ON project (created_at);

CREATE TABLE role (
    project_id      int8 NOT NULL REFERENCES project ON DELETE CASCADE,
    account_id      int8 NOT NULL REFERENCES account ON DELETE CASCADE,
    role            text NOT NULL CHECK (role IN ('Owner', 'Maintainer')),
    PRIMARY KEY (project_id, account_id)
);
CREATE INDEX role_account ON role (account_id);

-- 1.0 and 1.0.0 are one release: it is found by its canonical version.
-- yanked_reason: null is not yanked, '' is yanked without a reason.
CREATE TABLE release (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      int8 NOT NULL REFERENCES project ON DELETE CASCADE,
    version         text NOT NULL,              -- PEP 440 normal form
    canonical       text NOT NULL,              -- without trailing zeros
    sort_key        bytea NOT NULL,             -- bytes in PEP 440's order
    is_prerelease   bool NOT NULL,
    yanked_reason   text,
    metadata        jsonb NOT NULL,     -- of its first file: {"summary": ...}
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, canonical)
);
CREATE INDEX release_newest ON release (created_at);
CREATE INDEX release_classifiers ON release
    USING gin ((metadata->'classifiers'));

CREATE TABLE file (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      int8 NOT NULL REFERENCES project ON DELETE CASCADE,
    release_id      int8 NOT NULL REFERENCES release ON DELETE CASCADE,
    filename        text NOT NULL UNIQUE,
    packagetype     text NOT NULL CHECK (packagetype IN
                        ('sdist', 'bdist_wheel')),
    python_version  text NOT NULL,              -- "py3", "cp311", "source"
    requires_python text NOT NULL,
    comment_text    text NOT NULL,
    size            int8 NOT NULL,
    sha256          bytea NOT NULL,
    md5             bytea NOT NULL,
    blake2b_256     bytea NOT NULL,             -- names its place in the store
    metadata_sha256 bytea,                      -- null: no .metadata beside it
    yanked_reason   text,
    uploaded_at     timestamptz NOT NULL,
    uploaded_by     int8 REFERENCES account ON DELETE SET NULL
);
CREATE INDEX file_project ON file (project_id);
CREATE INDEX file_release ON file (release_id);
CREATE INDEX file_blake2b_256 ON file (blake2b_256);

-- A file's name stays used for ever, whatever becomes of the file.
CREATE TABLE used_filename (
    filename        text PRIMARY KEY
);

-- Bytes that no file row needs any more, for the runner to remove from the
-- store: written by the change that deleted the row, so never forgotten.  One
-- for each machine (setting `node`), whose own runner removes it.
CREATE TABLE discarded_file (
    node            text NOT NULL,
    blake2b_256     bytea NOT NULL,
    filename        text NOT NULL,
    discarded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (node, blake2b_256, filename)
);

-- Bytes of a file that one machine lacks, for its runner to fetch from the
-- other: written by the change that published the file.  Never given up.
CREATE TABLE missing_copy (
    node            text NOT NULL,              -- who lacks them
    blake2b_256     bytea NOT NULL,
    filename        text NOT NULL,
    missing_since   timestamptz NOT NULL DEFAULT now(),
    attempts        int4 NOT NULL DEFAULT 0,
    last_error      text NOT NULL,
    next_try_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (node, blake2b_256, filename)
);
CREATE INDEX missing_copy_due ON missing_copy (node, next_try_at);
CREATE INDEX missing_copy_file ON missing_copy (blake2b_256, filename);

-- Every change of the index, in the order in which it became visible.
CREATE TABLE journal (
    serial          int8 PRIMARY KEY,
    project         text NOT NULL,              -- name as displayed
    normalized_name text NOT NULL,
    version         text,                       -- null: the project as such
    action          text NOT NULL,
    account         text NOT NULL,              -- who; '' for the operator
    at              timestamptz NOT NULL
);
CREATE INDEX journal_at ON journal (at);
CREATE INDEX journal_project ON journal (normalized_name, serial);

-- The root list in pieces, so that a change costs one piece and not the list.
-- A chunk is the projects from first_name up to the next chunk's; its serial
-- is that of the newest change of any of them.  There is always the first.
CREATE TABLE root_chunk (
    first_name      text PRIMARY KEY,
    serial          int8 NOT NULL
);
INSERT INTO root_chunk (first_name, serial) VALUES ('', 0);

-- W2h: a machine could not delete a fence on a node of memcached.  While there
-- is a row of a node, no page of the projects that live there is stored.
CREATE TABLE cache_hold (
    home            text NOT NULL,              -- as in the setting memcached
    seen_from       text NOT NULL,              -- the machine's setting node
    since           timestamptz,                -- null: not visible for sure
    renewed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (home, seen_from)
);
