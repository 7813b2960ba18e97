import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { schema, schemaVersion } from "./schema.ts";
import { firstStreamId, type StreamId } from "./stream-id.ts";

/** How far a file has read, and whether it holds all of history. */
export interface Progress {
  readonly history: string;
  /** The newest entry of `index:rows` that it holds. */
  readonly rows: StreamId;
  /** The newest entry of `events` that it holds. */
  readonly events: StreamId;
  /** False until everything in ost was read once. */
  readonly complete: boolean;
}

/** More api processes than this on one data folder have no file of their own to keep. */
const maxFiles = 16;

function tryOpen(file: string): DatabaseSync | undefined {
  const db = new DatabaseSync(file);
  try {
    // Exclusive: the file is this process's alone until it ends, however it ends.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE; COMMIT;");
    return db;
  } catch (error) {
    db.close();
    if (error instanceof Error && /\blocked\b/.test(error.message)) return undefined;
    throw error;
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version ?? 0);
}

/** A file that SQLite cannot read, or of another version, is no loss: it is built anew. */
function openFile(file: string): DatabaseSync | undefined {
  try {
    const db = tryOpen(file);
    if (!db || versionOf(db) === schemaVersion) return db;
    if (versionOf(db) === 0 && db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined) {
      create(db);
      return db;
    }
    db.close();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR")) throw error;
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  const db = tryOpen(file);
  if (db) create(db);
  return db;
}

function create(db: DatabaseSync): void {
  db.exec(`BEGIN; ${schema} PRAGMA user_version = ${schemaVersion}; COMMIT;`);
}

/** Opens the first file of the folder that no other process has; `:memory:` for one that is not kept. */
export function openDatabase(folder: string): DatabaseSync {
  if (folder !== ":memory:") {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let number = 1; number <= maxFiles; number++) {
      const db = openFile(join(folder, `runs-${number}.sqlite`));
      if (db) return db;
    }
  }
  const db = new DatabaseSync(":memory:");
  create(db);
  return db;
}

/** Undefined for a file that never knew a history. */
export function readProgress(db: DatabaseSync): Progress | undefined {
  const meta = new Map(
    db
      .prepare("SELECT key, value FROM meta")
      .all()
      .map((row) => [String(row.key), String(row.value)]),
  );
  const history = meta.get("history");
  if (history === undefined) return undefined;
  return {
    history,
    rows: meta.get("rows") ?? firstStreamId,
    events: meta.get("events") ?? firstStreamId,
    complete: meta.get("complete") === "1",
  };
}

export function writeMeta(db: DatabaseSync, meta: Readonly<Record<string, string>>): void {
  const write = db.prepare("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  for (const [key, value] of Object.entries(meta)) write.run(key, value);
}

/** Runs `work` in one transaction: all of it is there afterwards, or nothing. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

/** Forgets everything, for another history. */
export function startHistory(db: DatabaseSync, history: string): void {
  transaction(db, () => {
    db.exec("DELETE FROM runs; DELETE FROM annotations; DELETE FROM groups; DELETE FROM meta;");
    writeMeta(db, { history });
  });
}
