/** Raised when tables change: a file of another version is built anew. */
export const schemaVersion = 1;

/**
 * Run ids sort by time, so the table itself is the list of runs from oldest to newest, and each index ends in the id.
 * `rank` orders what can be said of one run (see `rank.ts`); `version` breaks ties. A deleted run keeps its row, hidden:
 * an older row that arrives late must not bring it back.
 */
export const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    root TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    phase TEXT NOT NULL,
    result TEXT NOT NULL,
    reason TEXT,
    created TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    restart_of TEXT,
    annotations TEXT,
    task_counts TEXT,
    archived INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    version TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX runs_by_path ON runs (path, id) WHERE rank < 4;
  CREATE INDEX runs_by_number ON runs (root, number);
  CREATE INDEX runs_by_name ON runs (name, id);
  CREATE INDEX runs_by_result ON runs (result, id) WHERE rank < 4;
  CREATE INDEX runs_unfinished ON runs (phase, id) WHERE rank < 3;

  CREATE TABLE annotations (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (key, value, id)
  ) WITHOUT ROWID;

  CREATE TABLE groups (
    path TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    last_id TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX groups_by_parent ON groups (parent, path);
`;
